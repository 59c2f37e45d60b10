import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotProve, must, type Proof, repository } from '../kit.ts';

/** What Vitest's report in JSON says of one test. */
interface Told {
  fullName: string;
  status: string;
  failureMessages: string[];
}

/**
 * A proof that is a test of `npm test`: Vitest runs, of that file, what carries the id in its name, in the tree that is proved.
 * @param minutes expected, a copy of the product included
 */
export function namedTest(of: Omit<Proof, 'run' | 'isTest'> & { file: string }): Proof {
  const { file, ...proof } = of;
  return {
    ...proof,
    isTest: true,
    async run({ root, folder }) {
      const report = join(await folder(), 'report.json');
      const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
      const told = await new Promise<string>((resolve) => {
        const args = ['run', file, '--root', root, '-t', `\\(([^)]*, )?${of.id}[,)]`];
        execFile(
          process.execPath,
          ['--disable-warning=ExperimentalWarning', vitest, ...args, '--reporter=json', `--outputFile.json=${report}`],
          { cwd: root, maxBuffer: 64 * 1024 * 1024 },
          (_error, stdout, stderr) => resolve(stdout + stderr),
        );
      });
      if (!existsSync(report)) throw new CannotProve(`The test left no report: ${told.slice(-300)}`);
      const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
        testResults: { message?: string; assertionResults: Told[] }[];
      };
      const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
      const asked = tests.filter(({ status }) => status === 'passed' || status === 'failed');
      if (asked.length === 0)
        throw new CannotProve(
          `No test of ${file} has ${of.id} in its name, or none began: ${testResults[0]?.message ?? ''}`,
        );
      for (const { fullName, status, failureMessages } of asked) {
        if (status === 'passed') continue;
        const [line = ''] = (failureMessages[0] ?? '').split('\n');
        // What stumbles says nothing of the promise; what was expected and did not come does.
        if (!line.startsWith('AssertionError')) throw new CannotProve(`${fullName}: ${line}`);
        must(false, `${fullName}: ${line.replace(/^AssertionError: /, '')}`);
      }
      return `${asked.length === 1 ? 'a test' : `${asked.length} tests`} of ${file}`;
    },
  };
}
