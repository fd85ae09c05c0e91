// What a person could ask of the story, and what a right answer cites. The guide prints some of them; a test
// asks them all.

export interface StoryQuestion {
  question: string;
  /** Names or addresses that the question is about. */
  clients?: string[];
  /** Words that stand in one of the first passages. */
  cites: string;
}

export const questions: readonly StoryQuestion[] = [
  { question: 'What does Elena Vasquez need in a house?', cites: 'cannot do is stairs' },
  { question: 'How much can Elena and Daniel spend?', clients: ['Elena Vasquez'], cites: '640,000' },
  { question: 'How big is the grand piano of Daniel Brandt?', cites: `6'4" grand` },
  { question: 'How far is 14 Heron Court from the clinic on foot?', cites: 'twelve minutes on foot' },
  { question: 'Why not 73 Netmaker Lane for Elena?', cites: 'two steps down to the bedroom wing' },
  { question: 'What did the roofer quote for Tern Street?', cites: '11,850' },
  { question: 'moisture reading attic after the roof was repaired', cites: '11 percent' },
  { question: 'How high was the radon at 27 Saltgrass Way?', cites: '5.1' },
  { question: 'What closing costs did Nadia Haddad have?', cites: '8,605' },
  { question: 'What is the rent-back that the buyers of Kelp Lane accept?', cites: '45 days of rent-back' },
  { question: 'flood elevation of 210 Dune Road', cites: '1.4 feet below' },
  { question: 'How wide must the window sill for the cat be?', cites: 'ten inches' },
  { question: 'When does the exchange period of Mei-Ling Chow end?', cites: '45 days' },
  { question: 'How heavy is Moose, the dog?', cites: '85 lbs' },
  { question: 'special assessment at Foundry Lane', cites: '6,200' },
  { question: 'Until when is the insurance binder for 83 Alder Street needed?', cites: 'by noon on' },
  { question: 'Was kostet die Drainage?', cites: '9.200' },
  { question: 'Peut-on louer l’appartement en hiver ?', cites: 'louer' },
  { question: '寝室が四つある家', cites: '寝室が四つ' },
];
