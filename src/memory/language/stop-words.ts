// Function words by language: enough to tell one language from another, and to leave out of a question
// what every text holds. Tuned to no collection.

/** ISO 639-1 codes of the languages that are told apart by their function words. */
const lists = {
  en: `a about after all also am an and any are as at be because been before being between both but by can
    could did do does doing for from had has have having he her here him his how i if in into is it its me
    more most my no nor not of off on only or other our out over own same she should so some such than that
    the their them then there these they this those through to too under until up very was we were what when
    where which while who whom whose why will with would you your give find tell please`,
  de: `aber alle als also am an auch auf aus bei bin bis bist da damit dann das dass dein dem den der des
    dich die dies diese dieser dieses dir doch du durch ein eine einem einen einer eines er es euch euer für
    gegen habe haben hat hatte ich ihm ihn ihnen ihr ihre ihren im in ist ja jede jeder kann kein keine können
    man mein meine mich mir mit muss nach nicht noch nun nur ob oder ohne sehr sein seine sich sie sind so
    über um und uns unser unsere unter vom von vor war waren warum was weil wenn wer werden wie wir wird wo
    wurde würde zu zum zur wann welche welcher welches`,
  fr: `a ai alors au aux avec avez avons c ce ces cet cette comme d dans de des donc du elle elles en est et
    été être eu il ils j je l la le les leur leurs lui m ma mais me même mes moi mon n ne nos notre nous on
    ont ou où par pas plus pour qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son
    sont sur t ta te tes toi ton tous tout très tu un une vos votre vous y pourquoi comment`,
  es: `a al algo como con cual cuál cuando cuándo de del desde donde dónde el él ella ellas ellos en entre
    era es esa ese eso esta está están este esto estos fue ha hace han hasta hay la las le les lo los más me
    mi mis muy no nos nosotros nuestra nuestro o para pero por porque que qué quien quién se ser si sí sin
    sobre son su sus también te tiene tienen tu tus un una unas uno unos usted ustedes y ya yo`,
  it: `a ad agli ai al alla alle anche c che chi ci come con cosa cui d da dai dal dalla dalle degli dei del
    della delle dello di dove e è ed era gli ha hanno ho i il in io l la le lei li lo loro lui ma mi mia mio
    ne nei nel nella noi non nostra nostro o per perché più quale quali quando quella quello questa queste
    questi questo se si sia sono sta su sua sue sui sul sulla suo ti tra tu un una uno vi voi`,
  pt: `a ao aos as com como da das de dela dele do dos e é ela elas ele eles em entre era essa esse esta está
    este eu foi há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no nos nossa nosso num
    numa o onde os ou para pela pelas pelo pelos por porque qual quando que quem se sem ser seu seus são só
    sua suas também te tem têm um uma você vocês`,
  nl: `aan al alle als bij dan dat de der deze die dit door een en er ge geen had hebben heeft het hij hoe
    hun ik in is ja je kan kunnen maar me meer met mij mijn moet na naar niet nog nu of om omdat onder ons
    onze ook op over te tot u uit uw van veel voor waar waarom wanneer want waren was wat we wel welke werd
    wie wij wil worden wordt zal ze zich zij zijn zo zou`,
  da: `ad af alle at blev da de dem den denne der det dette dig din du efter eller en end er et for fra få
    ham han har havde hende her hun hvad hvem hvis hvor hvordan hvornår i ikke ind jeg jer kan kunne man med
    meget men mig min mit når nogle nu og også om op os over på sig sin skal skulle som til ud under var vi
    vil ville være været`,
  no: `alle at av bare ble bli da de dem den der det dette du eller en enn er et etter for fra få ha hadde
    han har hun hva hvem hvis hvor hvordan hvorfor i ikke inn jeg kan kunne man med meg men mer min mitt må
    når nå og også om opp oss over på så seg skal skulle som til ut var vi vil ville være vært`,
  sv: `alla att av blev bli de dem den denna det detta dig din du efter eller en ett från för ha hade han har
    henne hon hur här i icke in inte jag kan kunde man med men mig min mitt mot mycket ni nu när någon några
    och om oss på samma sig sin ska skulle som så till under upp ut vad var varför vi vid vill vilken är över`,
  fi: `ei eivät emme en että he hän ja joka jos jossa kanssa koska kuin kun me mikä minun minä missä mitä mutta
    myös ne niin nyt ole olen oli olla on ovat se sen siitä sinä sitä tai tämä tämän vain voi`,
  ro: `a ai al ale am ar are as au ca care când ce cea cel cele cine cu cum da de din după ea ei el este eu
    fi fost în între la le lui mai mult ne nici noastră nu o pe pentru prin sa să se și sunt un una unde unei
    unui va vă voi`,
  hu: `a az abban aki ami amely azt be csak de egy ehhez el ennek és ez ezt fel hogy ha hanem hol is itt
    kell ki le lesz már meg mely mert mi mit még most nem nekem ő össze pedig szerint és vagy van volt`,
  tr: `acaba ama ancak bana bazı ben bir biz bu çok çünkü da daha de değil diye gibi hem hep her için ile
    ise kadar ki kim mı mi mu mü nasıl ne neden nerede niye o olan olarak onlar sen siz şey şu ve veya ya`,
  pl: `a ale aby bardzo być był była było co czy dla do gdy gdzie go i ich ja jak jako jest jeszcze już kiedy
    kto które który lub ma mi mnie może na nam nas nie nią niego o od on ona oraz po pod przez przy się są
    ta tak tej ten to tylko tym u w we z za ze że`,
  cs: `a ale aby až bude by byl byla bylo být co do i já jak jako je jeho její jejich jen jsem jsme jsou k
    kde kdo kdy když která které který ma má mi na nebo není o od po pro proto při s se si tak také ten to
    toho u v ve však z za že`,
} as const;

export type StopWordLanguage = keyof typeof lists;

export const stopWords: ReadonlyMap<StopWordLanguage, ReadonlySet<string>> = new Map(
  Object.entries(lists).map(([language, words]) => [
    language as StopWordLanguage,
    new Set(words.split(/\s+/u)),
  ]),
);

export const cyrillicStopWords: ReadonlySet<string> = new Set(
  `а без был была были было быть в вам вас во вот все вы где да для до его ее если есть еще же за и из или им их
  к как когда кто ли мне мы на над не нет но о об он она они от по под при с со так также то тот ты у что
  чтобы это этот я`.split(/\s+/u),
);
