import { RequestError } from '../http/route.ts';

/** A file that is being sent in parts. @property next_part null once it is whole */
interface Sending {
  readonly size: number;
  readonly received: number;
  readonly next_part: number | null;
}

/**
 * Is this the part that may come now, and as long as it has to be? One that came before may come again.
 * @param came.isWhole what is said where nothing is to come any more
 * @returns how many bytes of the file are there with it
 * @throws RequestError conflict, bad_request
 */
export function endOfPart(
  { size, received, next_part }: Sending,
  { part, bytes, partBytes, isWhole }: { part: number; bytes: number; partBytes: number; isWhole: string },
): number {
  const from = part * partBytes;
  if (from > received || from >= size)
    throw new RequestError(
      'conflict',
      next_part === null ? isWhole : `Part ${next_part} is to come next. Send the parts in their order.`,
    );
  const wanted = Math.min(partBytes, size - from);
  if (bytes !== wanted)
    throw new RequestError(
      'bad_request',
      `Part ${part} has ${wanted} bytes of this file, and ${bytes} came. Send it again.`,
    );
  return from + wanted;
}
