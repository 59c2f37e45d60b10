import type { Clock } from './clock.ts';

/**
 * Structured logs, one JSON object a line, on standard error. A field is a number, a boolean or a short word
 * that the code chose: nothing that a visitor or a person sent may be a field, because logs are class D16.
 */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** `cause` is reduced to its kind, its code and places in our own code. */
  error(event: string, fields?: LogFields, cause?: unknown): void;
}
export type LogFields = Record<string, string | number | boolean | undefined>;

export function openLog(clock: Clock, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  function line(level: string, event: string, fields: LogFields = {}, cause?: unknown) {
    const time = new Date(clock.now()).toISOString();
    write(`${JSON.stringify({ time, level, event, ...fields, ...describe(cause) })}\n`);
  }
  return {
    info: (event, fields) => line('info', event, fields),
    warn: (event, fields) => line('warn', event, fields),
    error: (event, fields, cause) => line('error', event, fields, cause),
  };
}

/** For tests and one-shot commands: says nothing. */
export const silentLog: Log = { info() {}, warn() {}, error() {} };

/** A store's own word for what is wrong, such as ECONNREFUSED; another program's error may hold anything under that name. */
const storeWord = /^[A-Z][A-Z0-9_]{1,60}$/;

/**
 * An error's message may quote what a stranger sent (a JSON parser repeats the text, a database the row),
 * so only its kind, its code and the places in our own code are kept.
 */
function describe(error: unknown): Record<string, unknown> {
  if (error === undefined) return {};
  if (!(error instanceof Error)) return { error: typeof error };
  const { code, why } = error as { code?: unknown; why?: unknown };
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((frame) => /^\s+at /.test(frame))
    .slice(0, 8)
    .map((frame) => frame.trim().replace(/\(?(file:\/\/)?\/[^)]*\/(src|node_modules)\//, '($2/'));
  return {
    error: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof why === 'string' && storeWord.test(why) ? { why } : {}),
    stack: frames,
  };
}
