import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawLetter, letterPage } from '../src/platform/mail/index.ts';
import { launch } from '../test/browser/chromium.ts';
import { everyTemplate, letters } from '../test/letters.ts';

/**
 * Pictures of every mail, for people to look at: as wide as a mail program on a desk and as a telephone, light and dark,
 * and its words as text. `node scripts/letters.ts [template…]`; they land in web/pictures/letters/, which git ignores.
 */
const folder = join(import.meta.dirname, '../web/pictures/letters');
const widths = [600, 375];
const schemes = ['light', 'dark'] as const;

const wanted = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await launch();
try {
  for (const template of await everyTemplate()) {
    if (wanted.length > 0 && !wanted.includes(template.name)) continue;
    const unsubscribe =
      template.kind === 'service' ? undefined : `https://desk.example/api/mail/unsubscribe/${'aB3-dE5_'.repeat(9)}`;
    for (const [at, values] of (letters[template.name] ?? []).entries()) {
      const letter = drawLetter(template.write(values as never), { desk: 'desk.example', unsubscribe });
      const name = `${template.name}${at === 0 ? '' : `-${at + 1}`}`;
      writeFileSync(join(folder, `${name}.txt`), `Subject: ${letter.subject}\n\n${letter.text}`);
      for (const width of widths)
        for (const colorScheme of schemes) {
          const page = await browser.newPage({ viewport: { width, height: 400 }, colorScheme });
          await page.setContent(letterPage(letter));
          await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
          await page.close();
        }
    }
  }
} finally {
  await browser.close();
}
