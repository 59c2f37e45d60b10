export * from './api.ts';
export * from './drops.ts';
export * from './errors.ts';
export * from './goals.ts';
export * from './limits.ts';
export * from './query.ts';
