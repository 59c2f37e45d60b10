import { execFileSync } from 'node:child_process';

/** Where the root key comes from when it does not lie in the key file: the operator's environment alone. */
export type KeySource =
  | { variable: 'FAIRLEAD_KEY'; value: string }
  | { variable: 'FAIRLEAD_KEY_COMMAND'; command: string };

const commandMs = 30_000;
const answerBytesMax = 64 * 1024;

/**
 * The key as text: what the variable holds, or what the command prints. The command runs in a shell, as the operator
 * wrote it, once at the start.
 * @throws Error with what the command's end was; never with what it printed
 */
export function readKeySource(source: KeySource): string {
  if (source.variable === 'FAIRLEAD_KEY') return source.value;
  try {
    return execFileSync('/bin/sh', ['-c', source.command], {
      encoding: 'utf8',
      timeout: commandMs,
      maxBuffer: answerBytesMax,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    const { status, code } = error as { status?: number | null; code?: string };
    throw new Error(
      typeof status === 'number' ? `it ended with code ${status}` : `it did not end well (${code ?? 'killed'})`,
    );
  }
}
