// The words of streets, flats and places in the one form that a key is written in.

/** USPS Publication 28, appendices C1 and B, and the types of British, Irish and Australian streets. */
export const streetTypes: Readonly<Record<string, string>> = {
  alley: 'aly',
  avenue: 'ave',
  av: 'ave',
  boulevard: 'blvd',
  boul: 'blvd',
  bd: 'blvd',
  bend: 'bend',
  chase: 'chase',
  circle: 'cir',
  close: 'cl',
  court: 'ct',
  cove: 'cv',
  crescent: 'cres',
  crossing: 'xing',
  drive: 'dr',
  drv: 'dr',
  esplanade: 'esp',
  gardens: 'gdns',
  garden: 'gdns',
  green: 'grn',
  grove: 'grv',
  heights: 'hts',
  highway: 'hwy',
  hill: 'hl',
  landing: 'lndg',
  lane: 'ln',
  loop: 'loop',
  mews: 'mews',
  parade: 'pde',
  park: 'park',
  parkway: 'pkwy',
  path: 'path',
  place: 'pl',
  plaza: 'plz',
  point: 'pt',
  quay: 'quay',
  ridge: 'rdg',
  rise: 'rise',
  road: 'rd',
  row: 'row',
  square: 'sq',
  street: 'st',
  strt: 'st',
  terrace: 'ter',
  terr: 'ter',
  trail: 'trl',
  vale: 'vale',
  view: 'vw',
  walk: 'walk',
  way: 'way',
  wharf: 'whrf',
  yard: 'yard',
};
export const typeKeys: ReadonlySet<string> = new Set(Object.values(streetTypes));

/** Types that stand before the name: French, Italian, Spanish, Portuguese, Catalan. */
export const prefixTypes: ReadonlySet<string> = new Set([
  ...['rue', 'ave', 'blvd', 'pl', 'chemin', 'impasse', 'allee', 'quai', 'cours', 'route', 'passage'],
  ...['via', 'viale', 'piazza', 'corso', 'calle', 'avenida', 'paseo', 'rua', 'carrer'],
]);

/** Ends of the one-word names of German, Dutch and Swedish streets. */
export const compound =
  /^\p{L}{3,}(?:str|weg|allee|platz|gasse|ring|ufer|damm|chaussee|steig|straat|laan|plein|gracht|kade|gatan|vagen)$/u;

export const otherWords: Readonly<Record<string, string>> = {
  north: 'n',
  south: 's',
  east: 'e',
  west: 'w',
  northeast: 'ne',
  northwest: 'nw',
  southeast: 'se',
  southwest: 'sw',
  saint: 'st',
  first: '1st',
  second: '2nd',
  third: '3rd',
  fourth: '4th',
  fifth: '5th',
  sixth: '6th',
  seventh: '7th',
  eighth: '8th',
  ninth: '9th',
  tenth: '10th',
  strasse: 'str',
};
export const directions: ReadonlySet<string> = new Set(['n', 's', 'e', 'w', 'ne', 'nw', 'se', 'sw']);

export const unitWords =
  'flat|apartment|apt|appt|appartement|unit|suite|ste|wohnung|whg|studio|maisonette|penthouse|bus|logement';

/** Countries say nothing that tells two homes of one org apart. */
export const countries: ReadonlySet<string> = new Set([
  ...['usa', 'us', 'united states', 'united states of america', 'uk', 'united kingdom', 'great britain'],
  ...['england', 'scotland', 'wales', 'northern ireland', 'ireland', 'canada', 'australia'],
  ...['deutschland', 'germany', 'france', 'osterreich', 'austria', 'schweiz', 'switzerland', 'belgique'],
]);

const states =
  'alabama al alaska ak arizona az arkansas ar california ca colorado co connecticut ct delaware de florida fl georgia ga hawaii hi idaho id illinois il indiana in iowa ia kansas ks kentucky ky louisiana la maine me maryland md massachusetts ma michigan mi minnesota mn mississippi ms missouri mo montana mt nebraska ne nevada nv new_hampshire nh new_jersey nj new_mexico nm new_york ny north_carolina nc north_dakota nd ohio oh oklahoma ok oregon or pennsylvania pa rhode_island ri south_carolina sc south_dakota sd tennessee tn texas tx utah ut vermont vt virginia va washington wa west_virginia wv wisconsin wi wyoming wy';
const pairs = states.split(' ');
/** By name and by code; codes as USPS writes them, lower case. */
export const stateOf: ReadonlyMap<string, string> = new Map(
  pairs.flatMap((word, i): [string, string][] => {
    if (i % 2 === 1) return [];
    const code = pairs[i + 1] ?? '';
    return [
      [word.replace('_', ' '), code],
      [code, code],
    ];
  }),
);
