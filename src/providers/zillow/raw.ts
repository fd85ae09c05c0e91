// The answers of zillow-com1, as far as they are read. Unofficial and undocumented: a field that is
// missing or of another type is left out, and only a body that is no such answer at all is an error.
import { z } from 'zod';

const text = z.string().trim().min(1).optional().catch(undefined);
const number = z.number().optional().catch(undefined);
const amount = z.number().min(0).optional().catch(undefined);
const millis = z.number().int().optional().catch(undefined);
const zpid = z.union([z.string().regex(/^\d+$/), z.number().int().positive().transform(String)]);
/** A list whose elements are read one by one, each dropped when it is not one. */
const list = z.array(z.unknown()).optional().catch(undefined);

/** One element of `props` in the answer of /propertyExtendedSearch. */
export const rawHit = z.object({
  zpid,
  address: text,
  propertyType: text,
  listingStatus: text,
  /** `PENDING`, `UNDER_CONTRACT`: an offer was accepted, though the listing is still for sale. */
  contingentListingType: text,
  price: amount,
  currency: text,
  bedrooms: amount,
  bathrooms: amount,
  livingArea: amount,
  lotAreaValue: amount,
  lotAreaUnit: text,
  latitude: number,
  longitude: number,
  imgSrc: text,
  detailUrl: text,
});
export type RawHit = z.infer<typeof rawHit>;

/** The answer of /propertyExtendedSearch; a search for one exact address answers with that property's zpid alone. */
export const rawSearch = z.union([
  z.object({
    props: z.array(z.unknown()),
    totalResultCount: amount,
    totalPages: amount,
    currentPage: amount,
  }),
  z.object({ zpid }),
]);

const rawAddress = z
  .object({ streetAddress: text, city: text, state: text, zipcode: text })
  .optional()
  .catch(undefined);

export const rawHistory = z.object({ priceHistory: list, taxHistory: list });
export const rawPrice = z.object({
  time: millis,
  date: text,
  event: z.string().trim().min(1),
  price: z.number().min(0),
});
export const rawTax = z.object({ time: z.number().int(), taxPaid: amount, value: amount });

/** The answer of /property. */
export const rawProperty = rawHistory.extend({
  zpid,
  url: text,
  mlsid: text,
  parcelId: text,
  resoFacts: z.object({ parcelNumber: text }).optional().catch(undefined),
  address: rawAddress,
  homeStatus: text,
  contingentListingType: text,
  homeType: text,
  price: amount,
  currency: text,
  bedrooms: amount,
  bathrooms: amount,
  livingArea: amount,
  lotAreaValue: amount,
  lotAreaUnits: text,
  latitude: number,
  longitude: number,
  description: text,
  yearBuilt: amount,
  imgSrc: text,
  photoCount: amount,
  photos: list,
  originalPhotos: list,
  responsivePhotos: list,
  attributionInfo: z
    .object({ agentName: text, agentPhoneNumber: text, brokerName: text, mlsId: text })
    .optional()
    .catch(undefined),
  listed_by: z.object({ display_name: text, business_name: text }).optional().catch(undefined),
  brokerageName: text,
});
export type RawProperty = z.infer<typeof rawProperty>;

/** The answer of /images. */
export const rawImages = z.object({ images: list });

/** A photo as an address, or as sizes of one picture. */
export const rawPhoto = z.union([
  z.string(),
  z.object({ url: z.string() }).transform(({ url }) => url),
  z
    .object({
      mixedSources: z.object({
        jpeg: z.array(z.object({ url: z.string(), width: z.number().optional().catch(undefined) })).min(1),
      }),
    })
    .transform(({ mixedSources }) => {
      const sizes = mixedSources.jpeg.toSorted((a, b) => (b.width ?? 0) - (a.width ?? 0));
      return sizes[0]?.url ?? '';
    }),
]);
