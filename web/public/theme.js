// Runs before the first paint, so that a chosen theme never flashes the other one. It is a file because the
// content policy allows no inline script. The key holds 'light' or 'dark' and nothing else; without it the system decides.
try {
  const theme = localStorage.getItem('fairlead.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme stays.
}
