export { explainIdentifiers } from './identifiers/explain.ts';
export { type IdentifierPlatform, platforms } from './identifiers/platforms.ts';
