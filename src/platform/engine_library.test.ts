import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** In a process of its own, whose memory holds the library only if this was what brought it there. */
test('another thread takes the library in, and the engine then opens with it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-library-'));
  const program = `
    import { readFileSync } from 'node:fs';
    import { loadEngineLibrary } from ${JSON.stringify(join(import.meta.dirname, 'engine_library.ts'))};
    const mapped = () => (process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : '').split('\\n').filter((line) => /\\/libchdb\\.so$/.test(line));
    const before = mapped().length;
    // The thread keeps no process alive.
    setTimeout(() => {}, 60_000);
    await loadEngineLibrary();
    const after = mapped();
    const { Session } = await import('chdb');
    const session = new Session(${JSON.stringify(join(folder, 'warehouse'))});
    const answer = session.query('SELECT 1 + 1', 'CSV').trim();
    session.close();
    console.log(JSON.stringify({ before, isIn: after.length > 0, isTheSame: mapped().join() === after.join(), answer }));
    process.exit(0);`;
  try {
    const said = execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
      {
        cwd: import.meta.dirname,
        encoding: 'utf8',
      },
    );
    const onLinux = process.platform === 'linux';
    expect(JSON.parse(said)).toEqual({ before: 0, isIn: onLinux, isTheSame: true, answer: '2' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
