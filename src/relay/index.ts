export { destinationOf, destinations } from './destinations/index.ts';
export { explainConversions, explainErrors } from './explain.ts';
export { explainIdentifiers } from './identifiers/explain.ts';
export { type IdentifierPlatform, platforms } from './identifiers/platforms.ts';
export { explainCaptures } from './sources/explain.ts';
