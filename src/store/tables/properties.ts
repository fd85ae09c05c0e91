// The tables of homes: each once, where it was met, what it cost when, and which documents speak of it.
import type { JsonText, Millis } from './columns.ts';

export interface PropertyTables {
  /** One home, whatever the sources. All but its id is made from its sightings. */
  external_properties: {
    org_id: string;
    id: string;
    address: string;
    address_key: string;
    city: string | null;
    region: string | null;
    postal_code: string | null;
    status: string | null;
    home_type: string | null;
    price: number | null;
    currency: string | null;
    beds: number | null;
    baths: number | null;
    area_sqft: number | null;
    first_seen_at: Millis;
    fetched_at: Millis;
  };
  /**
   * A home as one source shows it: a listing by the source's own id, or (`said` 1) what a document says of it
   * in words. `line_key`: house number, street and flat, normalised; null where there is no house number.
   */
  property_sightings: {
    org_id: string;
    id: string;
    property_id: string;
    connection_id: string;
    provider: string;
    external_id: string;
    /** The document that it stands in, where there is one. */
    document_id: string | null;
    said: number;
    url: string | null;
    address_key: string;
    line_key: string | null;
    parcel: string | null;
    mls_number: string | null;
    /** A Listing. */
    facts: JsonText;
    /** What it was joined to this home by, and that in words. */
    joined_by: 'new' | 'parcel' | 'mls' | 'address' | 'line' | 'person';
    joined_why: string;
    /** The version of normalising that made the keys. */
    reading: number;
    first_seen_at: Millis;
    fetched_at: Millis;
    /** When its details (and not only a search's row) were last fetched. */
    detailed_at: Millis | null;
  };
  /** A price as one sighting tells it: `at` when it held, `seen_at` when we learnt it. `currency` null: not said. */
  property_price_history: {
    org_id: string;
    id: string;
    sighting_id: string;
    event: string;
    price: number;
    currency: string | null;
    at: Millis;
    seen_at: Millis;
  };
  /** An address that stands in a document's text; `property_id` once the home is known. */
  property_documents: {
    org_id: string;
    document_id: string;
    address_key: string;
    line_key: string;
    property_id: string | null;
    /** As it is written, and its span in the document's text; -1 where it stands in the title alone. */
    words: string;
    start_at: number;
    end_at: number;
  };
}
