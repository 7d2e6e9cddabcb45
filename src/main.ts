import { runCli } from './cli/run-cli.ts';

// Worker threads and kept connections would hold the process; the command has ended when its promise settles.
void runCli(process.argv.slice(2)).then((code) => process.exit(code));
