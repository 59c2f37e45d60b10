export type { DiskBytes, ReadOptions, Warehouse } from './warehouse.ts';
