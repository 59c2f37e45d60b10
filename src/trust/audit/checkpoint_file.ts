import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type History, noHistory, takeLine } from './checkpoint.ts';

export const auditFiles: readonly {
  path: string;
  classes: readonly `D${number}`[];
  window: string;
  purpose: string;
}[] = [
  {
    path: 'audit/checkpoints.ndjson',
    classes: ['D17'],
    window: 'as long as the installation',
    purpose: 'signed roots of the audit trail with the number and hash of each newest entry; nothing of what was done',
  },
];

/** More than a line of every chain of a large desk takes. */
const lineBytesMax = 16 * 1024 * 1024;

/** One checkpoint among the others, with where the chains stood that moved. */
type Seen = (line: string, history: History, problem: string | undefined) => void;

export interface CheckpointFile {
  path: string;
  /** Everything that the file says; `each` is told after each line. Lines that are wrong are counted and gone past. */
  read(publicKey: string | undefined, each?: Seen): Promise<History>;
  /** Cuts away what a crash left of a line. Before the first reading by whoever appends. */
  mend(): Promise<void>;
  /** On disk when it resolves. */
  append(line: string): Promise<void>;
}

/**
 * The file of checkpoints lies beside the database and is only ever written at its end: whoever can write the database
 * cannot take back what was signed. A line that a crash cut off was never on disk as a whole and is cut away.
 */
export function openCheckpointFile(dataDir: string): CheckpointFile {
  const folder = join(dataDir, 'audit');
  const path = join(folder, 'checkpoints.ndjson');
  return {
    path,
    async read(publicKey, each = () => {}) {
      const history = noHistory();
      if (!existsSync(path)) return history;
      for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY }))
        if (line !== '') {
          const problem = takeLine(history, line, publicKey);
          each(line, history, problem);
        }
      return history;
    },
    async mend() {
      if (existsSync(path)) await cutTornLine(path);
    },
    async append(line) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const isNew = !existsSync(path);
      const file = await open(path, 'a', 0o600);
      try {
        await file.appendFile(`${line}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      if (isNew) {
        const directory = await open(folder, 'r');
        await directory.sync();
        await directory.close();
      }
    },
  };
}

async function cutTornLine(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, lineBytesMax));
    await file.read(tail, 0, tail.length, size - tail.length);
    if (tail.length === 0 || tail.at(-1) === 0x0a) return;
    await truncate(path, size - tail.length + tail.lastIndexOf(0x0a) + 1);
  } finally {
    await file.close();
  }
}
