"""Writes the int8 weights and the header. usage: export.py MODEL.npz VOC.json OUTDIR (VOC.json: the 'voc' map of the tokenised data)"""
import sys,json,numpy as np,re,collections
z=np.load(sys.argv[1]);voc=json.load(open(sys.argv[2]));out=sys.argv[3]
A=z['E'].astype(np.float64)*np.exp(z['lw'].astype(np.float64))[:,None];s=(np.abs(A).max(1)/127).astype(np.float32);s[s==0]=1e-9
q=np.clip(np.round(A/s[:,None]),-127,127).astype(np.int8);V,D=q.shape
with open(f'{out}/weights.bin','wb') as f: f.write(q.tobytes());f.write(s.astype('<f4').tobytes())
words=[[] for _ in range(V)]
for w,r in voc.items(): words[r].append(w)
head=dict(format='static-int8/1',language='en',rows=V,dim=D,int8_offset=0,scale_offset=V*D,bytes=V*D+4*V,scale='float32 little endian, one per row; holds the quantisation step times the learned pooling weight',
 tokens='text.toLowerCase().match(/[a-z0-9]+/g)',unknown='ignored',ngrams=None,pooling='sum over distinct rows of (1+ln(tf)) * scale[row] * int8[row], then L2 normalise; tf counts tokens per row',
 query_factor='queries only: multiply each row weight by sqrt(ln(1+(N-df+0.5)/(df+0.5))/ln(2N+2)+0.02); N = records of the searched tenant, df = records of that tenant with at least one word of the row',fusion='min-max over the best 200 of each arm: 0.8 BM25 + 0.2 vectors, or 0.8 BM25 + 0.1 vectors + 0.1 LSA',
 vocabulary='one string per row, its words separated by a space; several inflected forms share a row',vocab=[' '.join(sorted(w)) for w in words])
open(f'{out}/vocabulary.txt','w').write('\n'.join(head['vocab'])+'\n') # what ships: data/embedder/
json.dump(head,open(f'{out}/header.json','w'),ensure_ascii=True,separators=(',',':'))
def embed(t):
    c=collections.Counter(voc[w] for w in re.findall(r'[a-z0-9]+',t.lower()) if w in voc);v=np.zeros(D)
    for r,k in c.items(): v+=(1+np.log(k))*float(s[r])*q[r].astype(np.float64)
    n=np.linalg.norm(v);return v/n if n else v
T=['the heating is broken','boiler stopped working','closing costs','settlement fees','Can you send me the invoice for March?','The bill is attached.','lease','The tenancy agreement ends in June.','rent rent rent','rent',
 'Our attorney reviewed the contract.','The lawyer looked over the agreement','ELEVATOR out of service!','the lift is stuck','2024 tax return','xqzzt','','Reschedule the meeting to Thursday at 3pm','We moved our call to Thursday afternoon','New listing: 2-bed flat near the station']
E=[embed(t) for t in T];pairs=[(0,1),(2,3),(4,5),(6,7),(8,9),(10,11),(12,13),(17,18),(0,3),(14,5)]
json.dump(dict(vectors=[dict(text=t,first8=[round(float(x),5) for x in e[:8]]) for t,e in zip(T,E)],cosines=[dict(a=T[i],b=T[j],cos=round(float(E[i]@E[j]),4)) for i,j in pairs]),open(f'{out}/test.json','w'),indent=0)
for i,j in pairs: print(round(float(E[i]@E[j]),3),T[i],'|',T[j])
