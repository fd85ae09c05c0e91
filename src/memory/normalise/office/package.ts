// An Office file (ECMA-376: parts in a zip) opened with bounds: no part, and not all of them together, may
// inflate beyond what a document holds, whatever the archive says of itself.
import { unzipSync } from 'fflate';
import { UnreadableRecord } from '../normalised.ts';
import { attribute, prefixed, readXml } from './xml.ts';

/** Bytes. A part is held whole while it is read. */
const largestPart = 64 * 1024 * 1024;
const mostInflated = 192 * 1024 * 1024;
const mostParts = 10_000;

export interface OfficePackage {
  /** Bytes of a part by its path in the archive, without a leading slash; undefined where there is none. */
  part(name: string): Uint8Array | undefined;
  /** Targets of a part's relationships by their ids: paths inside the archive, or outside addresses. */
  relations(name: string): Map<string, Relation>;
}

export interface Relation {
  target: string;
  external: boolean;
  /** The last word of its type: `hyperlink`, `slide`, `notesSlide` … */
  type: string;
}

/** @throws UnreadableRecord for what is no archive, is damaged, or would inflate beyond the bounds */
export function openPackage(raw: Uint8Array): OfficePackage {
  // An archive begins with a part of it; an empty one has none.
  if (raw[0] !== 0x50 || raw[1] !== 0x4b)
    throw new UnreadableRecord('is no Office file, whatever its name says');
  const sizes = new Map<string, number>();
  unpack(raw, (name, size) => {
    sizes.set(name, size);
    if (sizes.size > mostParts) throw new UnreadableRecord(`holds more than ${mostParts} parts`);
    return false;
  });
  let left = mostInflated;

  function part(name: string): Uint8Array | undefined {
    if (!sizes.has(name)) return undefined;
    let taken = false;
    return unpack(raw, (found, size) => {
      // Of two parts with one name the first counts: a second would be inflated for nothing.
      if (found !== name || taken) return false;
      taken = true;
      left -= size;
      if (size > largestPart || left < 0) {
        throw new UnreadableRecord(`inflates beyond ${largestPart / 1024 / 1024} MiB a part: not opened`);
      }
      return true;
    })[name];
  }

  return {
    part,
    relations(name) {
      const slash = name.lastIndexOf('/');
      const folder = name.slice(0, slash + 1);
      const found = new Map<string, Relation>();
      const bytes = part(`${folder}_rels/${name.slice(slash + 1)}.rels`);
      if (bytes === undefined) return found;
      readXml(bytes, {
        open(element, attributes) {
          if (element !== 'Relationship') return;
          const external = attribute(attributes, 'TargetMode') === 'External';
          const target = attribute(attributes, 'Target') ?? '';
          const type = (attribute(attributes, 'Type') ?? '').split('/').at(-1) ?? '';
          const id = attribute(attributes, 'Id') ?? prefixed(attributes, 'id') ?? '';
          found.set(id, { target: external ? target : resolved(folder, target), external, type });
        },
      });
      return found;
    },
  };
}

/** The parts that `wanted` says yes to. The output of each is as long as declared, and never longer. */
function unpack(
  raw: Uint8Array,
  wanted: (name: string, size: number) => boolean,
): Record<string, Uint8Array> {
  try {
    return unzipSync(raw, { filter: ({ name, originalSize }) => wanted(name, originalSize) });
  } catch (thrown) {
    if (thrown instanceof UnreadableRecord) throw thrown;
    throw new UnreadableRecord(
      `is a damaged archive: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
}

/** A path inside the archive, seen from `folder`. */
function resolved(folder: string, target: string): string {
  const path = target.startsWith('/') ? [] : folder.split('/').filter((name) => name !== '');
  for (const name of target.split('/')) {
    if (name === '..') path.pop();
    else if (name !== '' && name !== '.') path.push(name);
  }
  return path.join('/');
}
