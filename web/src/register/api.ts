import type { Receiver, RegisterAnswer, receiverStatement } from '../../../contract/register.ts';
import { call } from '../desk/api.ts';

export type { Receiver, RegisterAnswer } from '../../../contract/register.ts';

export type Statement = (typeof receiverStatement)['_zod']['input'];

/** The calls about the register, in a part of their own. */
export const register = {
  read: (organisation: number) => call<RegisterAnswer>('GET', `/api/organisations/${organisation}/subprocessors`),
  state: (receiver: string, body: Statement) =>
    call<Receiver>('PUT', `/api/subprocessors/${encodeURIComponent(receiver)}`, { body }),
};
