import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import type { RunnerTask, TestProject } from 'vitest/node';
import { addProved, digestOfTree, type Proved } from '../../src/trust/proof/proved.ts';
import { type Proof, repository } from './kit.ts';
import { idsIn, namedInSources } from './named_sources.ts';

/**
 * Writes down which tests and proofs of the ledger held, when and for which state of the sources; the desk that is started
 * from this tree shows it (src/trust/proof/proved.ts). What did not run leaves no line.
 */

/** The sources as they are when the run begins: one that is changed meanwhile must not look proved. */
function thisTree(): Pick<Proved, 'commit' | 'tree'> {
  return { commit: commitHere(), tree: digestOfTree(repository) };
}

function commitHere(): string | null {
  try {
    const args = ['-c', 'safe.directory=*', 'rev-parse', 'HEAD'];
    return execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

/**
 * @param project files of one kind; asked when the run begins
 * @returns writes down what has run of them, when it has ended
 */
export function recordTests(project: TestProject): () => void {
  const tree = thisTree();
  return () => {
    const files = project.vitest.state.getFiles().filter(({ projectName }) => projectName === project.name);
    addProved(
      repository,
      files.flatMap((file) => linesOf(relative(repository, file.filepath), file.tasks, tree)),
    );
  };
}

interface Count {
  passed: number;
  failed: number;
  left: number;
}

function linesOf(file: string, tasks: readonly RunnerTask[], tree: Pick<Proved, 'commit' | 'tree'>): Proved[] {
  const counts = new Map<string, Count>();
  function walk(task: RunnerTask, above: readonly string[]): void {
    const ids = [...new Set([...above, ...idsIn(task.name)])];
    if (task.type === 'suite') {
      for (const one of task.tasks) walk(one, ids);
      return;
    }
    for (const id of ids) {
      const count = counts.get(id) ?? { passed: 0, failed: 0, left: 0 };
      count[task.result?.state === 'pass' ? 'passed' : task.result?.state === 'fail' ? 'failed' : 'left']++;
      counts.set(id, count);
    }
  }
  for (const task of tasks) walk(task, []);
  const at = new Date().toISOString();
  // Of a part of the tests of a file, a failure counts and a success does not.
  return [...counts]
    .filter(([, { failed, passed, left }]) => failed > 0 || (left === 0 && passed > 0))
    .map(([id, { passed, failed }]) => ({
      id,
      kind: 'test',
      file,
      ok: failed === 0,
      tests: passed + failed,
      at,
      ...tree,
    }));
}

/** @returns writes down what became of one proof */
export async function recordProofs(): Promise<
  (proof: Pick<Proof, 'id' | 'isTest'>, ok: boolean, seen: string) => void
> {
  const tree = thisTree();
  const files = new Map(
    (await namedInSources()).filter(({ kind }) => kind === 'proof').map(({ id, file }) => [id, file]),
  );
  return ({ id }, ok, seen) => {
    const file = files.get(id);
    if (file === undefined) return;
    addProved(repository, [{ id, kind: 'proof', file, ok, tests: 1, at: new Date().toISOString(), ...tree, seen }]);
  };
}
