/** The rows of a page in the order in which they are read, each by what opens it: its name, or its first link or button. */
function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('#main tbody tr, #main li')].flatMap(
    (row) => row.querySelector<HTMLElement>('.name, a[href], button:not(:disabled)') ?? [],
  );
}

/** `j` and `k`: moves the focus along the rows. */
export function moveRow(by: 1 | -1): void {
  const all = rows();
  const here = document.activeElement;
  const row = here?.closest('#main tbody tr, #main li');
  const at = all.findIndex((one) => one === here || row?.contains(one));
  all[at === -1 ? (by === 1 ? 0 : all.length - 1) : at + by]?.focus();
}

/** `.`: what else can be done with the row that has the focus, with its list, or with the first. */
export function openMore(): void {
  const here = document.activeElement;
  const own = here?.closest('#main tr')?.querySelector<HTMLElement>('.more');
  const ofList = here?.closest('.panel')?.querySelector<HTMLElement>('.more');
  (own ?? ofList ?? document.querySelector<HTMLElement>('#main .more'))?.click();
}

/** `/`: the page's own search, where it has one. */
export function enterSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('#main .search input, #main input[type="search"]');
  field?.focus();
  return field !== null;
}
