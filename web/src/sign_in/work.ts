import type { Challenge } from '../../../contract/errors.ts';
import { call, DeskError } from '../desk/api.ts';

/**
 * Does what asks the desk for something that is guessed at, and where the desk wants work first, does that and asks
 * again. Somebody who mistyped waits some seconds; a program that guesses pays for every guess.
 * @param ask sends the try, with the solved challenge if there is one
 * @param onWork told when the work begins
 */
export async function askWithWork<T>(
  ask: (proof: { token: string; answer: string } | undefined) => Promise<T>,
  onWork: () => void,
): Promise<T> {
  let proof: { token: string; answer: string } | undefined;
  for (let tries = 0; ; tries++) {
    try {
      return await ask(proof);
    } catch (error) {
      // Somebody else may have failed meanwhile, and made it dearer; three times is enough to wait for one's turn.
      if (!(error instanceof DeskError) || error.challenge === undefined || tries === 3) throw error;
      onWork();
      const { challenge } = error;
      const [answer] = await Promise.all([solve(challenge), sleep(challenge.wait_seconds * 1000)]);
      proof = { token: challenge.token, answer };
    }
  }
}

/** A call of somebody who may have no session, which pays for itself where the desk asks for work: rarely, and for seconds. */
export function paidCall<T>(method: 'POST' | 'PUT', path: string, body: object, options = { quiet: true }): Promise<T> {
  return askWithWork(
    (proof) => call<T>(method, path, { body: proof === undefined ? body : { ...body, proof }, ...options }),
    () => {},
  );
}

const sliceMs = 12;

/** Counts up until the hash begins with enough zero bits, in slices short enough for the page to stay alive. */
export async function solve({ token, bits }: Pick<Challenge, 'token' | 'bits'>): Promise<string> {
  const hash = hasherAfter(new TextEncoder().encode(`${token}.`));
  for (let count = 0; ; ) {
    const until = performance.now() + sliceMs;
    while (performance.now() < until)
      for (const end = count + 500; count < end; count++)
        if (Math.clz32(hash(String(count))) >= bits) return String(count);
    await sleep(0);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * SHA-256 (FIPS 180-4) of a fixed beginning and a short ASCII end; only the first 32 bits are given back. The browser's
 * own is asynchronous, ten times slower for short texts, and missing where a page came without HTTPS.
 */
export function hasherAfter(beginning: Uint8Array): (end: string) => number {
  const whole = beginning.length - (beginning.length % 64);
  const begun = Int32Array.from(initial);
  for (let at = 0; at < whole; at += 64) compress(begun, beginning, at);
  const rest = beginning.length - whole;
  const block = new Uint8Array(128);
  const state = new Int32Array(8);
  return (end) => {
    block.fill(0);
    block.set(beginning.subarray(whole));
    for (let at = 0; at < end.length; at++) block[rest + at] = end.charCodeAt(at);
    const length = rest + end.length;
    block[length] = 0x80;
    const blocks = length < 56 ? 64 : 128;
    new DataView(block.buffer).setUint32(blocks - 4, (whole + length) * 8);
    state.set(begun);
    for (let at = 0; at < blocks; at += 64) compress(state, block, at);
    return (state[0] as number) >>> 0;
  };
}

/** The fractional parts of the square and cube roots of the first primes, which is what the standard's numbers are. */
const primes: number[] = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const constants = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const words = new Int32Array(64);

function compress(state: Int32Array, bytes: Uint8Array, from: number): void {
  const w = words;
  for (let i = 0; i < 16; i++) {
    const at = from + i * 4;
    w[i] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + s1 + ((e & f) ^ (~e & g)) + (constants[i] as number) + (w[i] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = ((state[i] as number) + (sums[i] as number)) | 0;
}
