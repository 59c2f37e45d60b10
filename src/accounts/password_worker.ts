import bcrypt from 'bcrypt';
import type { WorkerMessage } from './passwords.ts';

// Runs in a process of its own, behind the one that takes events (see passwords.ts).
process.on('message', (message: WorkerMessage) => {
  if (message.kind === 'hash') process.send?.(`hs384:${bcrypt.hashSync(message.secret, message.cost)}`);
  else process.send?.(bcrypt.compareSync(message.secret, message.stored));
});
process.on('disconnect', () => process.exit());
