/** The table of commands; a command's code is loaded when it is called. */
import type { Command, CommandContext } from './command.ts';

/**
 * Fires when the person at the keyboard, or whoever stops the container, has had enough; at the second time the program ends
 * at once. As the first process of a container, it would be deaf to a signal that it does not ask for.
 */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** For commands that have no log. */
const complainOf = ({ warnings, complain }: CommandContext): void => {
  for (const warning of warnings) complain(`warning: ${warning}`);
};

const command = (summary: string, run: (context: CommandContext) => Promise<number>): Command => ({
  summary,
  run,
});

/** The first one is taken when none is named. */
export const commands: Readonly<Record<string, Command>> = {
  serve: command('answer calls; also without a command', async (context) =>
    (await import('./serve.ts')).serve(context),
  ),
  info: command('show which model serve would run, and how', async (context) =>
    (await import('./info.ts')).info(context),
  ),
  healthcheck: command('ask the operator on this machine whether it is ready', async (context) =>
    (await import('./healthcheck.ts')).healthcheck(context),
  ),
  register: command('register a running operator with Phantoscope', async (context) => {
    complainOf(context);
    return (await import('./register.ts')).runRegister(context, interrupted());
  }),
  check: command('call an operator as Phantoscope does, and report', async (context) => {
    complainOf(context);
    return (await import('./check.ts')).runCheck(context, interrupted());
  }),
};
