/** A progress line on standard error: redrawn in place on a terminal, silent elsewhere. */
export function progressBar(
  bytes: number | undefined,
  bytesRead: () => number,
): { show(text: string): void; end(): void } {
  const width = 30;
  if (!process.stderr.isTTY) return { show() {}, end() {} };
  return {
    show(text) {
      const share = bytes === undefined || bytes === 0 ? undefined : Math.min(1, bytesRead() / bytes);
      const bar =
        share === undefined
          ? ''
          : `[${'#'.repeat(Math.round(share * width)).padEnd(width, '.')}] ${Math.floor(share * 100)} %  `;
      process.stderr.write(`\r\x1b[K${bar}${text}`);
    },
    end() {
      process.stderr.write('\r\x1b[K');
    },
  };
}
