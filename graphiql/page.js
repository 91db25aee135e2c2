// GraphiQL over our endpoint. What is typed into the headers pane goes into HTTP headers and, for subscriptions, into
// the payload of `connection_init`, so a token typed there signs in both.
const url = new URL('/graphql', location.href)
const socket = new URL(url)
socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'

const firstQuery = `# Sign up or sign in, then put the token into the headers below:
#
#   {"authorization": "Bearer …"}

mutation SignUp {
  signUp(input: { handle: "dora", displayName: "Dora", password: "correct horse battery" }) {
    token { value }
    userErrors { code message inputPath }
  }
}

query MyConversations {
  viewer {
    user { handle displayName }
    unreadCount
    conversations(first: 10) {
      edges { node { id title memberCount viewerUnreadCount lastMessage { text sender { handle } } } }
    }
  }
}
`

const fetcher = GraphiQL.createFetcher({ url: url.href, subscriptionUrl: socket.href })
const props = { fetcher, defaultQuery: firstQuery, isHeadersEditorEnabled: true }
ReactDOM.createRoot(document.getElementById('graphiql')).render(React.createElement(GraphiQL, props))
