// What stands below a mail's words and is the same in every mail: signatures, notes of devices, disclaimers,
// in English, German, French, Spanish, Italian, Dutch and Portuguese.

const device =
  /^(?:Sent from (?:my|Mail|Outlook|Yahoo)|Sent via|Get Outlook for|Von meinem .{2,40} gesendet|Gesendet (?:von|mit)|Envoyé de(?:puis)? mon|Envoyé à partir|Enviado desde mi|Enviado do meu|Inviato da(?:l mio)?|Verzonden vanaf mijn|Sendt fra min|Skickat från min)\b.{0,80}$/iu;

/** Headings of a disclaimer. Each is a word of letters, too, so what stands under it must read like one. */
const legalHeading =
  /^\W*(?:(?:E-?MAIL |LEGAL )?(?:CONFIDENTIALITY|DISCLAIMER|LEGAL|PRIVACY)(?: (?:NOTICE|NOTE|STATEMENT|CLAUSE|WARNING))?|Vertraulichkeitshinweis|Haftungsausschluss|Rechtlicher Hinweis|Avis de confidentialité|Clause de confidentialité|Mentions? légales?|Aviso legal|Aviso de confidencialidad(?:e)?|Cláusula de confidencialidad|Avviso di riservatezza|Avvertenza legale|Vertrouwelijkheidsclausule)\s*(?:$|[:.*–—-]|(?=(?:This|The|Diese|Ce|Este|Quest|Dit)))/iu;
const legalWords =
  /confiden|privileged|intended (?:only |solely )?(?:for|recipient)|recipient|unauthori[sz]ed|disclos|\bliab|\bvirus|views expressed|vertrauli|vertraulich|empfänger|unbefugt|haftung|destinataire|destinatari|exclusiv|riservat|vertrouwelijk|geadresseerde|sigilos/iu;

const disclaimers: readonly RegExp[] = [
  /^(?:This|The (?:information|content)s?)\b(?!.{0,80}\b(?:to (?:confirm|inform|let|tell|ask)|about|regarding)\b).{0,80}\b(?:e-?mail|message|communication|transmission)\b.{0,120}\b(?:confidential|privileged|intended (?:only|solely))/iu,
  /^(?:Diese (?:E-?Mail|Nachricht)|Der Inhalt dieser (?:E-?Mail|Nachricht)|Die(?:se)? Informationen in dieser)\b.{0,160}(?:vertraulich|rechtlich geschützt|ausschließlich für)/iu,
  /^(?:Ce (?:message|courriel|courrier|e-?mail|mail)|Les informations contenues dans ce)\b.{0,160}\b(?:confidentiel|exclusivement)/iu,
  /^(?:Este (?:mensaje|correo)|La información contenida en este)\b.{0,160}\b(?:confidencial|exclusivamente)/iu,
  /^\W*Ai sensi del(?:la|l['’])?\s?(?:D\.?\s?Lgs|Regolamento|GDPR|art)/iu,
  /^(?:Quest[oa] (?:messaggio|e-?mail|comunicazione)|Le informazioni contenute in quest[oa])\b.{0,160}\b(?:riservat|confidenzial|esclusivamente)/iu,
  /^(?:Dit (?:bericht|e-?mailbericht)|Deze e-?mail|De informatie in (?:dit|deze))\b.{0,160}\b(?:vertrouwelijk|uitsluitend)/iu,
  /^(?:Esta mensagem|Este e-?mail|As informações contidas nesta)\b.{0,160}\b(?:confidencia|exclusiv|sigilos)/iu,
  /^\W*(?:Please (?:consider|think of|think about) the environment|Bitte (?:denken Sie an|prüfen Sie|schonen Sie).{0,60}(?:Umwelt|ausdrucken)|Pensez à l['’]environnement|Antes de imprimir|Prima di stampare|Denk aan het milieu|Before printing)/iu,
];

/** `--` above a signature (RFC 3676, 4.3), its space trimmed. */
export function isMark(line: string): boolean {
  return line === '--';
}

export function isDevice(line: string): boolean {
  return device.test(line);
}

/**
 * Whether a paragraph is a disclaimer, or the footer of a mailing list.
 * @param first its first line, trimmed
 * @param whole all of its lines, asked for where the first alone does not tell
 */
export function beginsFooter(first: string, whole: () => readonly string[]): boolean {
  if (/^[_-]{20,}$/u.test(first)) return /\bmailing list\b|^to unsubscribe\b/iu.test(whole()[1] ?? '');
  if (disclaimers.some((form) => form.test(first))) return true;
  const heading = legalHeading.exec(first)?.[0];
  if (heading === undefined) return false;
  const below = whole().join(' ').slice(heading.length).trim();
  return below === '' || legalWords.test(below);
}

/** Whether a paragraph below a disclaimer still belongs to it. */
export function isFooter(lines: readonly string[]): boolean {
  const text = lines.join(' ');
  return (
    beginsFooter(lines[0] ?? '', () => lines) ||
    legalWords.test(text) ||
    contact.test(text) ||
    device.test(lines[0] ?? '')
  );
}

/** The words that end a letter, alone on their line. */
const closing =
  /^(?:(?:with )?(?:kind(?:est)?|best|warm(?:est)?|many|my best) (?:regards|wishes|thanks)|best|regards|sincerely(?: yours)?|yours (?:sincerely|faithfully|truly)|cheers|many thanks|thank you|thanks|mit (?:freundlichen|besten|herzlichen|lieben|vielen) grüßen|mit (?:freundlichen|besten|herzlichen|lieben) gruessen|(?:viele|liebe|beste|schöne|freundliche|herzliche) grüße|(?:freundlicher|besten?|herzlichen?) gru(?:ss|ß)|mfg|(?:bien )?cordialement|(?:très )?cordialement(?: vôtre)?|(?:bien|meilleures|sincères) (?:à vous|salutations)|bien à (?:vous|toi)|salutations distinguées|(?:un )?(?:cordial saludo|saludo cordial|saludo)|saludos(?: cordiales)?|atentamente|(?:cordiali|distinti|cari) saluti|cordialmente|met (?:vriendelijke|hartelijke) groet(?:en)?|hartelijke groet(?:en)?|groet(?:en|jes)?|atenciosamente|com os melhores cumprimentos|(?:melhores )?cumprimentos|abraços?)[\s,.!–-]*$/iu;

/** A number to call, an address to write to or to visit, a register: what a signature is made of. */
const contact =
  /(?:\+?\d[\d\s()./-]{6,}\d)|[^\s@]+@[^\s@]+\.\p{L}|(?:https?:\/\/|www\.)\S|\b(?:tel|phone|fon|mobile?|mobil|cell|fax|telefon|téléphone|tél|teléfono|telefono|cellulare|telefoon|telefone|HRB|USt|VAT|KvK|SIRET|P\.?\s?IVA|CNPJ)\b/iu;
/** A line of the letter: a question, a call, or words up to a full stop. */
const sentence = /[?!]$|^(?:\S+\s+){5,}\S*\p{Ll}{3,}\.$/u;
const mostLines = 12;
const longestLine = 110;

/**
 * The line from which a signature without a mark stands: behind the closing words and the name under them,
 * where short lines with a way to reach the writer follow up to the end or a quote. Undefined where none does.
 * @param lines trimmed
 */
export function signatureFrom(lines: readonly string[]): number | undefined {
  for (const [at, line] of lines.entries()) {
    const from = closing.test(line) ? signatureBelow(lines, at) : undefined;
    if (from !== undefined) return from;
  }
  return undefined;
}

function signatureBelow(lines: readonly string[], at: number): number | undefined {
  let name = at + 1;
  while (lines[name] === '') name += 1;
  // A salutation or the beginning of a sentence: the closing word closed nothing.
  if (/[,:;?!]$/u.test(lines[name] ?? '')) return undefined;
  const rest: string[] = [];
  for (let i = name + 1; i < lines.length && rest.length <= mostLines; i += 1) {
    const line = lines[i] ?? '';
    if (line.startsWith('>') || isMark(line) || isDevice(line) || beginsFooter(line, () => [line])) break;
    if (line === '') continue;
    // An attribution, a header or a sentence: what follows is no signature, or none any more.
    if (/[:：]$/u.test(line)) break;
    if (line.length > longestLine) return undefined;
    rest.push(line);
  }
  const isOne = rest.length > 0 && rest.length <= mostLines && rest.some((line) => contact.test(line));
  return isOne && !rest.some((line) => sentence.test(line)) ? name + 1 : undefined;
}
