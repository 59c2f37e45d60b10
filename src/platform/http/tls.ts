import type { SecureContextOptions, TLSSocket } from 'node:tls';

/** HTTPS of the listener: certificate files, or certificates that the desk fetches by itself. */
export interface HttpTls {
  context: SecureContextOptions;
  /** Which of the protocols that a client offers is spoken; undefined ends the handshake before any certificate goes out. */
  chooseProtocol?(this: TLSSocket, offered: { servername: string; protocols: string[] }): string | undefined;
  /** Asked after the handshake: a connection that is not admitted is closed before anything is read from it. */
  admits?(socket: TLSSocket): boolean;
}
