import { expect, test } from 'vitest';
import { isHardBounce, readBounces } from './bounce.ts';

const report = (fields: string, more = '') =>
  `From: MAILER-DAEMON@mail.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b1"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nFinal-Recipient: rfc822; words@shop.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b1\r\nContent-Type: message/delivery-status${more}\r\n\r\n${fields}\r\n\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n--b1--\r\n`;
const perMessage = 'Reporting-MTA: dns; mail.example\r\nArrival-Date: Sat, 28 Nov 2026 09:00:00 +0000\r\n\r\n';
const about = (address: string, action: string, status: string) =>
  `Final-Recipient: rfc822; ${address}\r\nAction: ${action}\r\nStatus: ${status}\r\nDiagnostic-Code: smtp; 550 no\r\n such user`;

test.each<[string, string, [string, boolean][]]>([
  ['no mailbox', report(perMessage + about('gone@shop.example', 'failed', '5.1.1')), [['gone@shop.example', true]]],
  ['a closed one', report(perMessage + about('<gone@shop.example>', 'Failed', '5.2.1')), [['gone@shop.example', true]]],
  ['a full one', report(perMessage + about('full@shop.example', 'failed', '5.2.2')), [['full@shop.example', false]]],
  ['a policy', report(perMessage + about('a@shop.example', 'failed', '5.7.1')), [['a@shop.example', false]]],
  ['a delay', report(perMessage + about('slow@shop.example', 'delayed', '4.4.1')), [['slow@shop.example', false]]],
  [
    'two readers',
    report(
      `${perMessage + about('a@shop.example', 'failed', '5.1.1')}\r\n\r\n${about('b@shop.example', 'delivered', '2.1.5')}`,
    ),
    [
      ['a@shop.example', true],
      ['b@shop.example', false],
    ],
  ],
  [
    'base64',
    report(
      Buffer.from(perMessage + about('gone@shop.example', 'failed', '5.1.1')).toString('base64'),
      '\r\nContent-Transfer-Encoding: base64',
    ),
    [['gone@shop.example', true]],
  ],
  [
    'an ordinary mail',
    'From: a@b.example\r\n\r\nFinal-Recipient: rfc822; a@shop.example\r\nAction: failed\r\nStatus: 5.1.1\r\n',
    [],
  ],
  ['nothing', '', []],
])('a delivery report of %s', (_what, mail, found) => {
  expect(readBounces(mail).map((one) => [one.address, isHardBounce(one)])).toEqual(found);
});
