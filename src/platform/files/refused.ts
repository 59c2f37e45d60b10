import { RequestError } from '../http/route.ts';

/** A file that cannot be imported, in a sentence that names the fact and the next step. Nothing of it stays. */
export function refused(message: string): RequestError {
  return new RequestError('bad_request', message);
}
