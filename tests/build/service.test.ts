/** docs/resnet50-encoder.service: as systemd reads it, and as the operator does. */
import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../../src/cli/commands.ts';
import { parseCommandLine } from '../../src/config/parse-command-line.ts';
import { testWithProgram } from '../support/data.ts';
import { testFolder } from '../support/test-folder.ts';

const unit = readFileSync(join(import.meta.dir, '../../docs/resnet50-encoder.service'), 'utf8');
const valuesOf = (name: string): string[] =>
  Array.from(unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm')), ([, value]) => value!);

test('the service, sets options that there are, and stops later than the operator drains', () => {
  const [command] = valuesOf('ExecStart');
  const environment = Object.fromEntries(
    valuesOf('Environment').map((pair) => pair.split('=') as [string, string]),
  );
  expect(Object.keys(environment)).toEqual(['OP_CACHE_DIR']);
  const line = parseCommandLine(command!.split(' ').slice(1), environment, Object.keys(commands));
  expect(line.warnings).toEqual([]);
  expect(line.config.cacheDir).toBe(environment.OP_CACHE_DIR!);
  expect(Number(valuesOf('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(line.config.drainTimeout);
  expect(Number(valuesOf('LimitNOFILE')[0])).toBeGreaterThan(2 * line.config.maxConnections);
});

testWithProgram('systemd-analyze', 'the service, holds nothing that systemd does not know', () => {
  const folder = testFolder('service');
  const verify = (text: string): string => {
    const file = join(folder, 'resnet50-encoder.service');
    // systemd looks whether the program is there.
    writeFileSync(file, text.replace('/usr/local/bin/resnet50-encoder', process.execPath));
    const { stderr } = Bun.spawnSync(['systemd-analyze', 'verify', '--man=no', file]);
    return stderr.toString();
  };
  expect(verify(unit)).toBe('');
  expect(verify(unit.replace('ProtectHome=yes', 'ProtectHome=perhaps'))).toContain('perhaps');
});
