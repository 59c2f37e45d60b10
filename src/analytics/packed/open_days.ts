import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type DayFile, giveBack, type Numbers, type OpenDay, openDay, readDayFile } from './day.ts';
import { endDay } from './rows.ts';
import { openShelves } from './shelves.ts';

/**
 * What one thread keeps unpacked of the days that it is asked about. To unpack and to read lists of texts again for each
 * question of a reader, who asks about the same days time after time, was a quarter of what a question cost.
 */
export interface OpenDays {
  /** A new job begins: days that none of the last jobs asked for are forgotten. */
  begin(): void;
  /** The day is good until the next one is opened. @throws what reading the file throws */
  open(path: string): OpenDay;
}

/** A day of which a row was erased lies in a new file; the old one is remembered for so many jobs, or until the thread rests. */
export const jobsKept = 64;
/** What a text takes beside its letters, and what a place in a list does. */
const textBytes = 40;
const placeBytes = 8;

interface Kept {
  head: DayFile['head'];
  sections: Map<string, ReturnType<DayFile['section']>>;
  bytes: number;
  job: number;
}

/** @param bytesMax when so much is kept, what else is asked for is unpacked for each question */
export function openDays(bytesMax: number): OpenDays {
  const known = new Map<string, Kept>();
  /** Days have mostly the same texts: each is kept once. */
  let texts = new Map<string, string>();
  let bytes = 0;
  let job = 0;

  const onShelf = openShelves();
  /** What is unpacked of the day that is open and not kept. */
  let passing: Numbers[] = [];

  function laid<N extends Numbers>(section: N): [own: N, bytes: number] {
    const own = onShelf(section);
    giveBack(section);
    return [own, own.byteLength];
  }

  function keep(kept: Kept, name: string, section: ReturnType<DayFile['section']>): ReturnType<DayFile['section']> {
    if (bytes >= bytesMax) {
      if (ArrayBuffer.isView(section)) passing.push(section);
      return section;
    }
    const [own, taken] = ArrayBuffer.isView(section) ? laid(section) : shared(section, texts);
    kept.sections.set(name, own);
    kept.bytes += taken;
    bytes += taken;
    return own;
  }

  return {
    begin() {
      job++;
      const before = known.size;
      for (const [path, kept] of known)
        if (job - kept.job > jobsKept) {
          known.delete(path);
          bytes -= kept.bytes;
        }
      if (known.size < before) texts = textsOf(known.values());
    },
    open(path) {
      endDay();
      for (const section of passing) giveBack(section);
      passing = [];
      let file: DayFile | undefined;
      const fileOf = () => {
        file ??= readDayFile(bytesOf(path));
        return file;
      };
      const kept = known.get(path) ?? { head: fileOf().head, sections: new Map(), bytes: 0, job };
      kept.job = job;
      known.set(path, kept);
      return openDay({
        head: kept.head,
        section(name) {
          const had = kept.sections.get(name);
          if (had !== undefined) return had;
          return keep(kept, name, fileOf().section(name));
        },
      });
    },
  };
}

/** The list with texts that are there already, and what it takes beside these. */
function shared(list: readonly string[], texts: Map<string, string>): [list: readonly string[], bytes: number] {
  let bytes = list.length * placeBytes;
  const same = list.map((text) => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, text);
    bytes += textBytes + 2 * text.length;
    return text;
  });
  return [same, bytes];
}

function textsOf(days: Iterable<Kept>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { sections } of days)
    for (const section of sections.values()) if (!ArrayBuffer.isView(section)) shared(section, texts);
  return texts;
}

let room = Buffer.alloc(0);

/** A whole file, in memory that the next file is read into: new memory for each took a fifteenth of the time of a day. */
function bytesOf(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (room.length < size) room = Buffer.allocUnsafeSlow(Math.ceil(size * 1.25));
    let read = 0;
    while (read < size) {
      const more = readSync(descriptor, room, read, size - read, read);
      if (more === 0) break;
      read += more;
    }
    return room.subarray(0, read);
  } finally {
    closeSync(descriptor);
  }
}
