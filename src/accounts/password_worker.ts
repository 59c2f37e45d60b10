import { setPriority } from 'node:os';
import bcrypt from 'bcrypt';
import type { WorkerMessage } from './passwords.ts';

// Runs in a process of its own (see passwords.ts). Ten steps nicer than the server: a sign-in may take a
// moment longer, a beacon may not.
try {
  setPriority(10);
} catch {}

process.on('message', (message: WorkerMessage) => {
  if (message.kind === 'hash') process.send?.(`hs384:${bcrypt.hashSync(message.secret, message.cost)}`);
  else process.send?.(bcrypt.compareSync(message.secret, message.stored));
});
process.on('disconnect', () => process.exit());
