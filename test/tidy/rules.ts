import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** A file as the repository has it: path from its root with forward slashes, and text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** One thing that is not as agreed, in a sentence. */
export interface Finding {
  path: string;
  line: number;
  rule: string;
  sentence: string;
}

const subjects = ['analytics', 'relay', 'ads', 'plan', 'publish', 'marketplace', 'billing'];
const below = ['contract', 'platform', 'trust', 'accounts', 'providers'];

/** Who may import whom: docs/architecture.md draws it. A zone may always import itself. */
const mayImport: Record<string, readonly string[]> = {
  contract: [],
  platform: ['contract'],
  trust: ['contract', 'platform'],
  accounts: ['contract', 'platform', 'trust'],
  providers: ['contract', 'platform', 'trust', 'accounts'],
  ...Object.fromEntries(subjects.map((subject) => [subject, below])),
  relay: [...below, 'analytics'],
  plan: [...below, 'analytics', 'relay'],
  /** Made-up visitors for `npm run demo`: knows chance, and nothing of how a desk works. */
  demo: ['platform'],
  app: [...below, ...subjects, 'demo'],
  sdk: ['contract'],
  web: ['contract'],
  emulators: [],
};
/** These may import everything: they look at the product from outside. */
const outside = ['test', 'bench', 'scripts'];

/** What each zone may take from npm; a zone that is not named takes what it needs. The tracker has a byte budget, an emulator what Node brings. */
const packages: Record<string, readonly string[]> = { contract: ['zod'], sdk: [], emulators: ['node:'] };

const codeFile = /\.(ts|tsx|cjs|mjs|js)$/;
const testFile = /\.test\.tsx?$/;
/** Build scripts of the two browser packages run in Node at set-up. */
const toolFile = /^(sdk\/build\.ts|web\/dev\/|[^/]+\.config\.ts$|web\/vite\.config\.ts$)/;
const linesMax = 800;
const longBecause = /long because/i;

/** @returns everything in these files that breaks a rule of the house, in the order of the files. */
export function findUntidiness(files: readonly SourceFile[], machineWords: readonly string[] = []): Finding[] {
  const paths = new Set(files.map((file) => file.path));
  return files.flatMap((file) => [
    ...untidyName(file),
    ...untidyText(file, machineWords),
    ...(codeFile.test(file.path) ? untidyCode(file, paths) : []),
  ]);
}

/** 'src/relay/x.ts' belongs to relay, 'web/src/x.ts' to web, and a test beside the code to test. */
function zoneOf(path: string): string {
  if (testFile.test(path)) return 'test';
  if (toolFile.test(path)) return 'scripts';
  const [first = '', second = ''] = path.split('/');
  return first === 'src' ? second : first;
}

/** The folder with one front door that a file belongs to, if it is such a folder. */
function houseOf(path: string): string | undefined {
  const parts = path.split('/');
  if (parts[0] !== 'src') return undefined;
  const depth = parts[1] === 'platform' || parts[1] === 'trust' ? 3 : 2;
  return parts.length > depth ? parts.slice(0, depth).join('/') : undefined;
}

const vagueFolders = ['utils', 'util', 'helpers', 'helper', 'services', 'types', 'common', 'lib', 'misc'];

function untidyName({ path }: SourceFile): Finding[] {
  const vague = path.split('/').find((part) => vagueFolders.includes(part.replace(codeFile, '')));
  if (vague === undefined) return [];
  return [
    finding(path, 1, 'names', `"${vague}" names a kind of code: name the subject that it is about, or move it there.`),
  ];
}

/** Written in two parts, so that this file does not find itself. */
const machinePath = new RegExp(`(^|[\\s"'\`(=:])/(${['wo', 'rk'].join('')}|${['ro', 'ot'].join('')})/`);
const registryHost = new RegExp(`\\b${['regis', 'try'].join('')}\\.[a-z0-9-]+\\.(org|com|net|io|dev)\\b|npm\\.pkg\\.`);

function untidyText({ path, text }: SourceFile, machineWords: readonly string[]): Finding[] {
  const lines = text.split('\n');
  const found = lines.flatMap((line, i) => [
    ...(machinePath.test(line)
      ? [finding(path, i + 1, 'machine', 'a path of one machine: say it relative to the repository.')]
      : []),
    ...(registryHost.test(line) || machineWords.some((word) => line.includes(word))
      ? [finding(path, i + 1, 'machine', 'the name of a package registry: that is the setting of one machine.')]
      : []),
  ]);
  if (path === 'package-lock.json') return found;
  const isLong = lines.length > linesMax && /\.(ts|tsx|cjs|js|css|sql)$/.test(path);
  if (isLong && !lines.slice(0, 12).some((line) => longBecause.test(line)))
    found.push(
      finding(path, lines.length, 'length', `${lines.length} lines: split it, or say at its top "Long because …".`),
    );
  return found;
}

function untidyCode(file: SourceFile, paths: ReadonlySet<string>): Finding[] {
  const { path, text } = file;
  const zone = zoneOf(path);
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) return [finding(path, 1, 'parse', `it cannot be parsed: ${parsed.errors[0]?.message}`)];
  const lineAt = lineCounter(text);
  const found: Finding[] = [];
  const tell = (at: number, rule: string, sentence: string) => found.push(finding(path, lineAt(at), rule, sentence));

  const { staticImports, staticExports, dynamicImports } = parsed.module;
  for (const one of staticImports) untidyImport(one.moduleRequest.value, one.start);
  for (const one of staticExports)
    for (const entry of one.entries) {
      if (entry.moduleRequest) untidyImport(entry.moduleRequest.value, one.start);
      if (entry.exportName.kind === 'Default' && !/\.config\.ts$/.test(path))
        tell(one.start, 'default export', 'a default export has no name of its own: export it by name.');
    }
  for (const one of dynamicImports) {
    const literal = /^['"`](.*)['"`]$/.exec(text.slice(one.moduleRequest.start, one.moduleRequest.end));
    if (literal) untidyImport(literal[1] as string, one.start);
  }
  const guarded = isGuarded(zone);
  if (guarded) for (const one of staticImports) untidyNames(one);
  walk();
  return found;

  function untidyImport(specifier: string, at: number): void {
    if (!specifier.startsWith('.')) {
      untidyPackage(specifier, at);
      return;
    }
    if (outside.includes(zone)) return;
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    const theirs = zoneOf(target);
    if (theirs !== zone && !mayImport[zone]?.includes(theirs)) {
      tell(at, 'direction', `${zone} imports ${theirs}: ${direction(zone)}`);
      return;
    }
    const house = houseOf(target);
    if (house === undefined || house === houseOf(path)) return;
    const door = `${house}/index.ts`;
    if (target !== door && paths.has(door))
      tell(at, 'front door', `it reaches into ${house}: import what ${door} exports, or export it there.`);
  }

  function untidyPackage(specifier: string, at: number): void {
    const allowed = packages[zone];
    if (allowed === undefined) return;
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (!allowed.includes(specifier.startsWith('node:') && allowed.includes('node:') ? 'node:' : name))
      tell(at, 'packages', `${zone} imports ${name}: it may use ${allowed.join(', ') || 'nothing but its own files'}.`);
  }

  /** Time, chance and network are arguments outside the platform, and so is the environment. */
  function untidyNames(one: (typeof staticImports)[number]): void {
    const module = one.moduleRequest.value.replace(/^node:/, '');
    const names = forbiddenImports[module];
    // `doctor` knocks at its own ports, which is not a request to anybody.
    if (names === undefined || (zone === 'app' && module === 'net')) return;
    for (const entry of one.entries) {
      if (entry.isType) continue;
      const name = entry.importName.kind === 'Name' ? (entry.importName.name ?? '') : '*';
      if (names.test(name))
        tell(
          one.start,
          'arguments',
          `it imports ${name} of ${one.moduleRequest.value}: ${insteadOf(one.moduleRequest.value)}`,
        );
    }
  }

  function walk(): void {
    new Visitor({
      CallExpression(node) {
        const callee = dotted(node.callee);
        if (
          testFile.test(path) &&
          /^(test|it|describe|suite|bench)\..*\b(skip|only|todo|skipIf|runIf|fails)\b/.test(callee)
        )
          tell(node.start, 'tests', `${callee} leaves a promise unproved: make the test run everywhere, or delete it.`);
        if (testFile.test(path) && /^(xit|xtest|xdescribe|fit|fdescribe)$/.test(callee))
          tell(node.start, 'tests', `${callee} leaves a promise unproved: make the test run everywhere, or delete it.`);
        if (guarded || zone === 'web') {
          const instead = forbiddenCalls[zone === 'web' ? 'web' : 'src']?.find(([pattern]) => pattern.test(callee));
          if (instead) tell(node.start, 'arguments', `${callee}(): ${instead[1]}`);
        }
      },
      NewExpression(node) {
        if (guarded && dotted(node.callee) === 'Date' && node.arguments.length === 0)
          tell(
            node.start,
            'arguments',
            'new Date() without an argument: take the time from the Clock that you are given.',
          );
      },
      MemberExpression(node) {
        if (guarded && /^process\.env$/.test(dotted(node)))
          tell(
            node.start,
            'arguments',
            'process.env: what the operator decides comes from the Config that you are given.',
          );
      },
    }).visit(parsed.program);
  }
}

/** Code that is given its time, chance and network: all of src but the platform, and the contract. */
function isGuarded(zone: string): boolean {
  return (
    zone === 'contract' || (zone !== 'platform' && zone in mayImport && !['sdk', 'web', 'emulators'].includes(zone))
  );
}

const takeClock = 'take the time from the Clock that you are given.';
const takeRandom = 'take chance from the Random that you are given.';
const takeOutbound = 'describe the request and let platform/outbound send it.';

const forbiddenCalls: Record<'src' | 'web', [RegExp, string][]> = {
  src: [
    [/^(globalThis\.)?Date\.now$|^Date$|^performance\.now$/, takeClock],
    [/^Math\.random$|^(globalThis\.|webcrypto\.)?crypto\.(random|getRandom)\w+$/, takeRandom],
    [/^(globalThis\.)?fetch$/, takeOutbound],
  ],
  // A page lives in the reader's time and talks to its own server; chance on it would make pictures differ.
  web: [
    [
      /\.toLocale(Date|Time)?String$/,
      "the reader's locale and timezone stand in their account: web/src/edge/reader.ts and web/src/period/words.ts write moments.",
    ],
    [/^Math\.random$/, 'a page shows the same for the same data: derive it from the data.'],
  ],
};

const forbiddenImports: Record<string, RegExp> = {
  crypto: /^(\*|random\w+|getRandomValues|webcrypto)$/,
  http: /^(\*|request|get)$/,
  https: /^(\*|request|get)$/,
  net: /^(\*|connect|createConnection)$/,
  tls: /^(\*|connect)$/,
  dgram: /./,
  process: /^(\*|env)$/,
  undici: /./,
};

function insteadOf(module: string): string {
  if (/crypto/.test(module)) return takeRandom;
  if (/process/.test(module)) return 'what the operator decides comes from the Config that you are given.';
  return takeOutbound;
}

function direction(zone: string): string {
  const allowed = mayImport[zone];
  if (allowed === undefined) return 'no such part of the house is known: add it to test/tidy/rules.ts.';
  return allowed.length === 0 ? 'it may import nothing of ours.' : `it may import ${allowed.join(', ')}.`;
}

/** `a.b.c` of a chain of names; calls in between are left out, so test.skipIf(x)('…') reads test.skipIf. */
function dotted(node: unknown): string {
  const { type, name, object, property, callee, expression } = node as Record<string, never> & {
    type: string;
    name?: string;
  };
  if (type === 'Identifier') return name ?? '';
  if (type === 'MemberExpression') return `${dotted(object)}.${dotted(property)}`;
  if (type === 'CallExpression') return dotted(callee);
  if (type === 'ChainExpression' || type === 'ParenthesizedExpression') return dotted(expression);
  if (type === 'Literal') return String((node as { value: unknown }).value);
  return '';
}

function finding(path: string, line: number, rule: string, sentence: string): Finding {
  return { path, line, rule, sentence: `${path}:${line} (${rule}): ${sentence}` };
}

function lineCounter(text: string): (offset: number) => number {
  return (offset) => text.slice(0, offset).split('\n').length;
}
