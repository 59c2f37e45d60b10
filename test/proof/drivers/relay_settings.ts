/** Settings of a destination for measuring: numbers of nobody. */
export function settingsOfKind(kind: string): Record<string, string> {
  const settings = known[kind];
  if (settings === undefined) throw new Error(`There are no settings for ${kind}: ${Object.keys(known).join(', ')}.`);
  return settings;
}

const known: Readonly<Record<string, Record<string, string>>> = {
  'meta-capi': { dataset_id: '1234567890' },
  'google-data-manager': { customer_id: '1234567890', conversion_action_id: '555' },
  webhook: { url: 'https://hook.example/in' },
};
