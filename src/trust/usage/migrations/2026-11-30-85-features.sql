-- Beside pages, what the desk was used for: an act of somebody who agreed to be counted, by a word of the code.
ALTER TABLE product_usage RENAME COLUMN page TO name;
ALTER TABLE product_usage ADD COLUMN kind text NOT NULL DEFAULT 'page' CHECK (kind IN ('page', 'feature'));
ALTER TABLE product_usage DROP CONSTRAINT product_usage_pkey;
ALTER TABLE product_usage ADD PRIMARY KEY (organisation_id, day, kind, name);
COMMENT ON COLUMN product_usage.name IS 'D22 a page of the dashboard or a feature, a word of the code';
COMMENT ON COLUMN product_usage.kind IS 'D22 page or feature';
COMMENT ON COLUMN product_usage.opened IS 'D22 how often it was opened or used';
