export interface ByteStream {
  /** Exactly so many; undefined when there are not so many left. */
  take(length: number): Promise<Buffer | undefined>;
  /** What is at hand of so many at most; undefined at the end. */
  some(most: number): Promise<Buffer | undefined>;
  /** The next ones, or as many as there are, without taking them. */
  peek(length: number): Promise<Buffer>;
  /** Gives back what was taken last. */
  back(bytes: Buffer): void;
}

/** Bytes by number over pieces of any size. */
export function byteStream(source: AsyncIterable<Buffer>): ByteStream {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  async function more(): Promise<boolean> {
    const { value, done } = await pieces.next();
    if (done === true) return false;
    rest = rest.length === 0 ? value : Buffer.concat([rest, value]);
    return true;
  }
  return {
    async take(length) {
      while (rest.length < length) if (!(await more())) return undefined;
      const taken = rest.subarray(0, length);
      rest = rest.subarray(length);
      return taken;
    },
    async some(most) {
      while (rest.length === 0) if (!(await more())) return undefined;
      const taken = rest.subarray(0, most);
      rest = rest.subarray(taken.length);
      return taken;
    },
    async peek(length) {
      while (rest.length < length && (await more()));
      return rest.subarray(0, length);
    },
    back(bytes) {
      if (bytes.length > 0) rest = rest.length === 0 ? bytes : Buffer.concat([bytes, rest]);
    },
  };
}
