// Words for mails of a measurement, the same for the same number.
const words =
  'viewing offer boiler lease deposit kitchen garden survey agent contract closing keys roof budget school quiet harbour mill court river inspection furnace windows parking price buyer seller lender date insurance'.split(
    ' ',
  );

export function wordsOf(seed: number, count: number): string {
  let state = (seed * 2_654_435_761) % 4_294_967_296;
  return Array.from({ length: count }, () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    const at = Math.floor((state / 4_294_967_296) * words.length);
    return `${words[at] ?? 'x'}${state % 17 === 0 ? state % 997 : ''}`;
  }).join(' ');
}
