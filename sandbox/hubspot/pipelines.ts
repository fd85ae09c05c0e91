// The pipelines that an account of HubSpot has from the start, with HubSpot's own ids.

const made = { createdAt: '2024-01-01T00:00:00Z', updatedAt: '2024-01-01T00:00:00Z', archived: false };
const stagesOf = (named: Record<string, string>) =>
  Object.entries(named).map(([id, label], displayOrder) => ({
    id,
    label,
    displayOrder,
    metadata: {},
    ...made,
  }));

export const pipelines = {
  deals: [
    {
      id: 'default',
      label: 'Sales pipeline',
      displayOrder: 0,
      ...made,
      stages: stagesOf({
        appointmentscheduled: 'Appointment scheduled',
        qualifiedtobuy: 'Qualified to buy',
        presentationscheduled: 'Presentation scheduled',
        decisionmakerboughtin: 'Decision maker bought-in',
        contractsent: 'Contract sent',
        closedwon: 'Closed won',
        closedlost: 'Closed lost',
      }),
    },
  ],
  tickets: [
    {
      id: '0',
      label: 'Support pipeline',
      displayOrder: 0,
      ...made,
      stages: stagesOf({ 1: 'New', 2: 'Waiting on contact', 3: 'Waiting on us', 4: 'Closed' }),
    },
  ],
};
