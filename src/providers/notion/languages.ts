// Languages of code as Notion names them, and the usual short names of some.
// https://developers.notion.com/reference/block#code
const named = new Set(
  'abap abc agda arduino assembly bash basic bnf c c# c++ clojure coffeescript coq css dart dhall diff docker ebnf elixir elm erlang f# flow fortran gherkin glsl go graphql groovy haskell hcl html idris java javascript json julia kotlin latex less lisp livescript lua makefile markdown markup matlab mathematica mermaid nix objective-c ocaml pascal perl php powershell prolog protobuf purescript python r racket reason ruby rust sass scala scheme scss shell smalltalk solidity sql swift toml typescript vb.net verilog vhdl webassembly xml yaml'.split(
    ' ',
  ),
);

const short: Record<string, string> = {
  cpp: 'c++',
  cs: 'c#',
  dockerfile: 'docker',
  golang: 'go',
  js: 'javascript',
  jsx: 'javascript',
  kt: 'kotlin',
  md: 'markdown',
  objc: 'objective-c',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'shell',
  tex: 'latex',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
};

/** @param word what stands behind the fence */
export function languageOf(word: string | undefined): string {
  const name = (word ?? '').trim().split(/\s/, 1)[0]?.toLowerCase() ?? '';
  const known = Object.hasOwn(short, name) ? short[name] : name;
  return known !== undefined && named.has(known) ? known : 'plain text';
}
