export { inDialect } from './dialect.ts';
export { QueryOverCeiling, RowRefused, WarehouseRefused, WarehouseUnavailable } from './errors.ts';
export { warehouseLimits } from './limits.ts';
export { migrateWarehouse, refuseNewerParts, type WarehouseMigrations } from './migrate.ts';
export { openWarehouse } from './open.ts';
export type { CommandOptions, DiskBytes, ReadOptions, Warehouse } from './warehouse.ts';
