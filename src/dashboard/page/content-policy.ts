// What a page of ours may load, run and post to. Nothing of another origin, with one exception: the form that
// begins an authorization is answered with the provider's address.
const rules: Record<string, readonly string[]> = {
  'default-src': ["'none'"],
  'style-src': ["'self'"],
  'script-src': ["'self'"],
  'img-src': ["'self'"],
  'connect-src': ["'self'"],
  'frame-src': ["'self'"],
  'form-action': ["'self'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ["'none'"],
};

/** @param leadsTo where a form of this page may be sent on to: browsers judge redirects of a form, too */
export function contentPolicy(leadsTo: readonly string[] = []): string {
  return Object.entries(rules)
    .map(([rule, sources]) => [rule, ...sources, ...(rule === 'form-action' ? leadsTo : [])].join(' '))
    .join('; ');
}
