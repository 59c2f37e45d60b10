-- The value of a mail or phone link, kept only under the site's switch (rule R12). A column of its own, because
-- properties are D3 and may be counted; this is sealed before the spool and no dimension reads it.
ALTER TABLE {{table:events}} ADD COLUMN IF NOT EXISTS contact String COMMENT 'D4 sealed value of a mailto or tel click, empty unless the site keeps it' CODEC(ZSTD(1));

{{altered:events:ADD COLUMN IF NOT EXISTS contact String COMMENT 'D4 sealed value of a mailto or tel click, empty unless the site keeps it'}};
