// Hostile documents: deep, wide, explosive, circular, endless. Most are refused before anything is run for them.
import { many, nested } from './bytes.js'

/** Values in values; 1,600 deep and up ended servers whose parser recurses. */
function literals() {
  const places = {
    'an argument': (value) => `{user(by:${value}){id}}`,
    "a variable's default": (value) => `query($v:UserByInput=${value}){user(by:$v){id}}`,
    'a directive': (value) => `{__typename @include(if:${value})}`,
  }
  const kinds = { lists: ['[', ']', '1'], objects: ['{a:', '}', '1'], 'lists of objects': ['[{a:', '}]', '1'], 'open lists': ['[', '', ''] }
  return Object.entries(places).flatMap(([place, write]) =>
    Object.entries(kinds).flatMap(([kind, [open, close, inside]]) =>
      [1_000, 1_600, 6_000, 15_000, 100_000].map((depth) => ({
        name: `${kind} ${depth} deep in ${place}`,
        query: write(nested(depth, inside, open, close)),
      })),
    ),
  )
}

/** Fragments that spread the next one twice: 2^levels fields. */
const bomb = (levels, spread, last = '__typename', on = 'Query', root = '...F0') =>
  `{${root}}${many(levels, (n) => `fragment F${n} on ${on}{${spread(n + 1)}}`, '')}fragment F${levels} on ${on}{${last}}`

function fragments() {
  const twice = (n) => `...F${n} ...F${n}`
  const ring = (length) => `{...F0}${many(length, (n) => `fragment F${n} on Query{...F${(n + 1) % length}}`, '')}`
  return [
    ...[10, 20, 30, 60].map((levels) => ({ name: `a fragment bomb of ${levels} levels`, query: bomb(levels, twice) })),
    { name: 'a fragment bomb with aliases', query: bomb(60, (n) => `a${n}:__typename ...F${n} b${n}:__typename ...F${n}`) },
    {
      name: 'a fragment bomb in fields',
      query: bomb(60, (n) => `lastMessage{conversation{...F${n}}} peer{id} ...F${n}`, 'id', 'Conversation', 'conversation(id:"1"){...F0}'),
    },
    { name: 'a fragment bomb of inline fragments', query: bomb(60, (n) => `...on Query{...F${n}} ...on Query{...F${n}}`) },
    { name: 'a fragment bomb with directives', query: bomb(60, (n) => `...F${n}@include(if:true) ...F${n}@skip(if:false)`) },
    {
      name: 'a fragment bomb over an interface',
      query: bomb(60, (n) => `...on Conversation{...F${n}} ...on User{...F${n}}`, 'id', 'Node', 'node(id:"1"){...F0}'),
    },
    { name: 'a fragment bomb of nothing', query: bomb(29, (n) => many(20, () => `...F${n}`), '...on Query{__typename}') },
    { name: 'a fragment bomb that nobody uses', query: bomb(60, twice).replace('{...F0}', '{__typename}') },
    { name: 'a fragment bomb in a mutation', query: `mutation${bomb(60, twice, '__typename', 'Mutation')}` },
    { name: 'a fragment bomb in a subscription', query: `subscription${bomb(60, twice, '__typename', 'Subscription')}` },
    {
      name: 'a fragment bomb in each of 20 operations',
      query: many(20, (n) => `query q${n}{...F0}`) + bomb(40, twice).replace('{...F0}', ''),
      operationName: 'q0',
    },
    ...[1, 2, 60, 200].map((length) => ({ name: `a ring of ${length} fragments`, query: ring(length) })),
    { name: 'a ring of fragments that nobody uses', query: ring(60).replace('{...F0}', '{__typename}') },
    { name: 'a ring through fields', query: '{node(id:"1"){...A}} fragment A on Node{...on Conversation{lastMessage{conversation{...A}}}}' },
    { name: 'a chain of 400 fragments', query: bomb(400, (n) => `...F${n}`) },
    { name: '400 fragments that nobody uses', query: `{__typename}${many(400, (n) => `fragment F${n} on Query{__typename}`, '')}` },
    { name: '1,000 spreads of no fragment', query: `{${many(1_000, (n) => `...X${n}`)}}` },
    { name: '300 fragments of one name', query: `{...F}${many(300, () => 'fragment F on Query{__typename}', '')}` },
    {
      name: '150 type conditions',
      query: `{node(id:"1"){${many(150, (n) => `...on ${['User', 'Conversation', 'Message', 'Viewer'][n % 4]}{id}`)}}}`,
      verdict: 'told ok',
    },
  ]
}

/** Much of one thing. */
function floods() {
  const variables = (count) => many(count, (n) => `$v${n}:ID`)
  const given = (count) => ({
    query: `query(${many(count, (n) => `$v${n}:ID!`)}){nodes(ids:[${many(count, (n) => `$v${n}`)}]){id}}`,
    variables: Object.fromEntries(Array.from({ length: count }, (_, n) => [`v${n}`, '1'])),
    verdict: ['told BAD_USER_INPUT', 'refused QUERY_REJECTED'],
  })
  return [
    { name: '10,000 aliases', query: `{${many(10_000, (n) => `a${n}:__typename`)}}` },
    { name: '900 aliases', query: `{${many(900, (n) => `a${n}:__typename`)}}` },
    { name: '100 aliases', query: `{${many(100, (n) => `a${n}:__typename`)}}`, verdict: 'told ok' },
    { name: '10,000 times one field', query: `{${many(10_000, () => 'a')}}` },
    { name: '10,000 directives', query: `{__typename ${many(10_000, () => '@a')}}` },
    { name: '420 directives that exist', query: `{__typename ${many(420, () => '@skip(if:false)')}}` },
    { name: '1,400 directives that do not', query: `{__typename ${many(1_400, (n) => `@d${n}`)}}` },
    { name: '100 directives on each of 10 fields', query: `{${many(10, (n) => `a${n}:__typename ${many(100, () => '@x')}`)}}` },
    { name: '3,000 variables, each used', query: `query(${variables(3_000)}){nodes(ids:[${many(3_000, (n) => `$v${n}`)}]){id}}` },
    { name: '450 variables, each used', query: `query(${variables(450)}){nodes(ids:[${many(450, (n) => `$v${n}`)}]){id}}` },
    { name: '450 variables, each used and given', ...given(450) },
    { name: '700 variables, none used', query: `query(${variables(700)}){__typename}` },
    { name: '700 variables of one name', query: `query(${many(700, () => '$v:ID')}){__typename}` },
    { name: '1,400 unknown variables', query: `{nodes(ids:[${many(1_400, (n) => `$v${n}`)}]){id}}` },
    { name: '500 operations', query: many(500, (n) => `query q${n}{__typename}`), operationName: 'q1' },
    { name: '500 operations of one name', query: many(500, () => 'query q{__typename}'), operationName: 'q' },
    {
      name: '20 operations that share a fragment of 9 variables',
      query: many(20, (n) => `query q${n}($v:ID!){...F}`) + `fragment F on Query{${many(9, (n) => `a${n}:node(id:$v){id}`)}}`,
      variables: { v: '1' },
      operationName: 'q1',
      verdict: 'told ok',
    },
    { name: '500 operations without a name', query: many(500, () => '{__typename}') },
    { name: '900 fields that do not exist', query: `{${many(900, (n) => `conversationMessages${n}`)}}` },
    { name: '900 mutations that do not exist', query: `mutation{${many(900, (n) => `sendFriendRequestTo${n}`)}}` },
    { name: '900 arguments that do not exist', query: `{viewer{id} users(${many(900, (n) => `a${n}:1`)}){edges{cursor}}}` },
    { name: '900 arguments of one name', query: `{users(${many(900, () => 'search:"al"')}){edges{cursor}}}` },
    { name: '300 types that do not exist', query: `query(${many(300, (n) => `$v${n}:Conversatio${n}`)}){__typename}` },
    { name: '900 fields of an input that do not exist', query: `{user(by:{${many(900, (n) => `handle${n}:"a"`)}}){id}}` },
    { name: '900 times one field of an input', query: `{user(by:{${many(900, () => 'handle:"a"')}}){id}}`, verdict: ['told ok', 'refused QUERY_REJECTED'] },
    { name: '1 MB of one field', query: `{${'a'.repeat(1_000_000)}}` },
    { name: '1 MB of fields', query: `{${many(200_000, () => 'abcd')}}` },
    { name: '1 MB of spaces', query: `{${' '.repeat(1_000_000)}__typename}` },
    { name: '1 MB of commas', query: `{${','.repeat(1_000_000)}__typename}` },
    { name: 'a name of 30 KB', query: `{${'a'.repeat(30_000)}}` },
    { name: 'an alias of 30 KB', query: `{${'a'.repeat(30_000)}:__typename}`, verdict: ['told ok', 'refused QUERY_REJECTED'] },
    {
      name: 'an alias of 25 KB on each name of the schema',
      query: `{__schema{types{fields{${'a'.repeat(25_000)}:name}}}}`,
      verdict: ['told ok', 'refused QUERY_REJECTED'],
    },
    { name: 'a directive of 30 KB', query: `{__typename @${'a'.repeat(30_000)}}`, verdict: ['told ok', 'refused QUERY_REJECTED'] },
    { name: 'a type of 30 KB', query: `query($v:${'A'.repeat(30_000)}){__typename}` },
  ]
}

/** Deep, and round in circles. */
function depths() {
  const selections = (depth) => `{${'viewer{'.repeat(depth)}id${'}'.repeat(depth)}}`
  const types = (depth) => `query($v:${nested(depth, 'Int')}){__typename}`
  const circle = (times) => `{__schema{types{${'fields{type{'.repeat(times)}name${'}}'.repeat(times)}}}}`
  const talk = (times) => `{conversation(id:"1"){${'lastMessage{conversation{'.repeat(times)}id${'}}'.repeat(times)}}}`
  return [
    ...[15, 31, 63, 1_000, 10_000].map((depth) => ({ name: `selections ${depth} deep`, query: selections(depth) })),
    { name: 'selections 10,000 deep without an end', query: '{a'.repeat(10_000) },
    { name: 'ends 10,000 deep without a start', query: `{a}${'}'.repeat(10_000)}` },
    ...[20, 60, 1_000, 10_000].map((depth) => ({ name: `a list type ${depth} deep`, query: types(depth) })),
    ...[40, 63, 1_000].map((depth) => ({ name: `inline fragments ${depth} deep`, query: `{${nested(depth, '__typename', '...{', '}')}}` })),
    { name: 'chains of inline fragments', query: bomb(20, (n) => nested(40, `...F${n}`, '...{', '}')) },
    ...[3, 7, 20].map((times) => ({
      name: `an introspection ${times} times round`,
      query: circle(times),
      verdict: times < 7 ? ['told ok', 'refused QUERY_REJECTED'] : 'refused QUERY_REJECTED',
    })),
    { name: 'possible types of interfaces of possible types', query: `{__schema{types{${nested(6, 'name', 'interfaces{possibleTypes{', '}}')}}}}` },
    ...[200, 300].map((times) => ({
      name: `an introspection with ${times} aliases`,
      query: `{__schema{${many(times, (n) => `t${n}:types{name}`)}}}`,
      verdict: ['told ok', 'refused QUERY_REJECTED'],
    })),
    { name: '300 introspections', query: `{${many(300, (n) => `s${n}:__schema{types{fields{name}}}`)}}` },
    { name: '100 types looked up', query: `{${many(100, (n) => `t${n}:__type(name:"T${n}"){name}`)}}`, verdict: 'told ok' },
    ...[5, 10, 30].map((times) => ({
      name: `a conversation's last message's conversation, ${times} times`,
      query: talk(times),
      verdict: times < 7 ? 'told ok' : 'refused QUERY_REJECTED',
    })),
    { name: 'pages of pages', query: '{channels(first:100){edges{node{messages(first:100){edges{node{conversation{messages(first:100){edges{cursor}}}}}}}}}}' },
    { name: 'pages of pages by aliases', query: `{${many(60, (n) => `c${n}:channels(first:100){edges{node{messages(last:100){edges{node{id}}}}}}`)}}` },
  ]
}

/** Fields that have to be merged, or cannot be: each with each, in a validator that compares pairs. */
function merges() {
  const fields = (count, make) => `{${many(count, make)}}`
  const twice = (depth, leaf) => (depth === 0 ? leaf(0) : many(2, (n) => `lastMessage{conversation{${twice(depth - 1, () => leaf(n))}}}`))
  const within = (inside) => `{conversation(id:"1"){${inside}}}`
  return [
    { name: '330 fields that merge', query: fields(330, () => 'viewer{id}'), verdict: 'told ok' },
    { name: '990 fields that merge', query: fields(990, () => '__typename'), verdict: 'told ok' },
    { name: '300 fields that cannot merge', query: fields(300, (n) => `a:node(id:"${n}"){id}`) },
    { name: '300 fields of several types that cannot merge', query: fields(300, (n) => `a:${['viewer{id}', '__typename', 'channels{edges{cursor}}'][n % 3]}`) },
    { name: '300 inline fragments that merge', query: `{${many(240, () => '...on Query{viewer{id}}')}}`, verdict: 'told ok' },
    { name: 'merges in merges', query: within(twice(5, () => 'id')), verdict: 'told ok' },
    { name: 'conflicts in merges', query: within(twice(5, (n) => (n ? 'a:id' : 'a:title'))) },
    { name: 'conflicts of arguments in merges', query: within(twice(4, (n) => `messages(first:${n + 1}){edges{cursor}}`)) },
    {
      name: 'merges in merges of fragments',
      query: `{...A ...B}fragment A on Query{${many(50, (n) => `x${n}:viewer{id user{id}}`)}}fragment B on Query{${many(50, (n) => `x${n}:viewer{id user{handle}}`)}}`,
      verdict: 'told ok',
    },
    {
      name: '200 fragments that conflict with each other',
      query: `{viewer{${many(200, (n) => `...F${n}`)}}}${many(200, (n) => `fragment F${n} on Viewer{a:${n % 2 ? 'id' : 'unreadCount'}}`, '')}`,
    },
    {
      name: 'conflicts in fragments of an interface',
      query: `{node(id:"1"){${many(120, (n) => `...on User{a:handle} ...on Conversation{a:title b${n}:id}`)}}}`,
      verdict: ['told ok', 'refused QUERY_REJECTED'],
    },
  ]
}

/** All of them. */
export const documents = () => [literals(), fragments(), floods(), depths(), merges()].flat()
