// The part of snowball-stemmers that stem.ts uses; the package has no types of its own.
declare module 'snowball-stemmers' {
  interface SnowballStemmer {
    stem(word: string): string;
  }
  const snowball: { newStemmer(algorithm: string): SnowballStemmer; algorithms(): string[] };
  export default snowball;
}
