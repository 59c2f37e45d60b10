import { expect, it } from 'vitest';
import { z } from 'zod';
import { wordsOfShape } from './shape.ts';

it.each<[schema: z.ZodType, value: unknown, words: string]>([
  [z.string().min(1), '', 'it is empty'],
  [z.string().min(8), 'short', 'it needs at least 8 characters'],
  [z.string().max(1_200), 'x'.repeat(1_201), 'it may have at most 1,200 characters'],
  [z.array(z.string()).min(1), [], 'it is empty'],
  [z.array(z.string()).max(2), ['a', 'b', 'c'], 'it may have at most 2 entries'],
  [z.number().min(5), 4, 'it has to be at least 5'],
  [z.number().positive(), 0, 'it has to be more than 0'],
  [z.number().max(90), 91, 'it has to be at most 90'],
  [z.number().lt(90), 90, 'it has to be less than 90'],
  [z.int(), 1.5, 'it has to be a whole number'],
  [z.string(), undefined, 'it is missing'],
  [z.string(), 1, 'it has to be a text'],
  [z.boolean(), 'yes', 'it has to be true or false'],
  [z.enum(['day', 'week']), 'month', 'it has to be one of "day", "week"'],
  [z.literal('goals'), 'http', 'it has to be "goals"'],
  [z.strictObject({}), { secret: 'a secret' }, 'there is no such field'],
  [z.union([z.string(), z.number()]), true, 'it has none of the shapes that it may have'],
  [z.string().min(1, 'say what it is'), '', 'say what it is'],
])('says what is wrong without the value (%#)', (schema, value, words) => {
  expect(schema.safeParse(value, { error: wordsOfShape }).error?.issues[0]?.message).toBe(words);
});
