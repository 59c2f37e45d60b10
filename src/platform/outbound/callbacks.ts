import type { Outbound, OutboundRequest } from './outbound.ts';

/** After so many tries without success a call is given up, three days after the first. */
export const callbackTriesMax = 10;
/** What an answer says is read by nobody. */
const answerBytesMax = 64 * 1024;

/** How long to wait after so many tries: 10 min, 20 min, 40 min … at most a day. */
export const callbackPauseMs = (tries: number) => Math.min(10 * 60_000 * 2 ** (tries - 1), 86_400_000);

/**
 * Posts JSON to a system that has asked for it.
 * @returns why it was not taken, a word of the code such as `timed_out` or `status_503`; undefined for any 2xx
 */
export async function postCallback(
  outbound: Pick<Outbound, 'send'>,
  request: Pick<OutboundRequest, 'url' | 'purpose' | 'headers'> & { readonly receiver: string; readonly body: string },
): Promise<string | undefined> {
  const answer = await outbound.send({
    ...{ method: 'POST', ...request, answerBytesMax },
    headers: { 'content-type': 'application/json', ...request.headers },
  });
  if ('failed' in answer) return answer.failed;
  return answer.status >= 200 && answer.status < 300 ? undefined : `status_${answer.status}`;
}
