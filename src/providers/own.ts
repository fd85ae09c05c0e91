// What the house itself brings in: no account, no network, nothing to connect.
export const ownProviders = ['brain', 'files'] as const;
export type OwnProvider = (typeof ownProviders)[number];

export const ownLabels: Readonly<Record<OwnProvider, string>> = {
  brain: 'About us',
  files: 'Imported files',
};

export function isOwn(provider: string): boolean {
  return (ownProviders as readonly string[]).includes(provider);
}
