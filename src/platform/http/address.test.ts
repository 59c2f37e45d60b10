import { describe, expect, it } from 'vitest';
import { clientAddress, plainAddress } from './address.ts';

describe('the client address comes from the trusted hop and from nowhere else (PSE-10)', () => {
  const socket = '::ffff:10.0.0.9';
  const rows: [title: string, forwarded: string | string[] | undefined, hops: number, expected: string][] = [
    ['no proxy: the header is not read', '198.51.100.1', 0, '10.0.0.9'],
    ['one proxy: the last entry', '203.0.113.7', 1, '203.0.113.7'],
    ['one proxy: what the client put before it is ignored', '1.1.1.1, 203.0.113.7', 1, '203.0.113.7'],
    ['two proxies: the second from the right', '6.6.6.6, 203.0.113.7, 10.1.1.1', 2, '203.0.113.7'],
    ['fewer entries than hops: the socket', '203.0.113.7', 2, '10.0.0.9'],
    ['no header at all: the socket', undefined, 1, '10.0.0.9'],
    ['garbage at the trusted place: the socket, never a neighbour', '203.0.113.7, not-an-address', 1, '10.0.0.9'],
    ['an empty trusted place', '203.0.113.7, ', 1, '10.0.0.9'],
    ['a port is taken off', '203.0.113.7:51234', 1, '203.0.113.7'],
    ['brackets and port are taken off', '[2001:db8::1]:443', 1, '2001:db8::1'],
    ['a v4-mapped address is v4', '::ffff:203.0.113.7', 1, '203.0.113.7'],
    ['repeated headers read as one list', ['6.6.6.6', '203.0.113.7'], 1, '203.0.113.7'],
    ['octal tricks are no address', '0177.0.0.1', 1, '10.0.0.9'],
    ['a leading comma', ',203.0.113.7', 2, '10.0.0.9'],
    ['upper case v6', '2001:DB8::A', 1, '2001:db8::a'],
    ['a zone is taken off', 'fe80::1%eth0', 1, 'fe80::1'],
  ];
  it.each(rows)('%s', (_title, forwarded, hops, expected) => {
    expect(clientAddress(socket, forwarded, hops)).toBe(expected);
  });

  it('reads only what is an address', () => {
    expect(plainAddress('localhost')).toBeUndefined();
    expect(plainAddress('[::1')).toBeUndefined();
    expect(plainAddress('999.1.1.1')).toBeUndefined();
  });
});
