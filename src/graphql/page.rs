//! Pages as Relay connections, once for all lists.

use async_graphql::SimpleObject;

use crate::model::{Page, page::PageArguments};

/// Where a page stands in its connection.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct PageInfo {
    /// Cursor of the last edge of this page, null when the page is empty.
    end_cursor: Option<String>,
    /// Whether edges follow this page.
    has_next_page: bool,
    /// Whether edges precede this page.
    has_previous_page: bool,
    /// Cursor of the first edge of this page, null when the page is empty.
    start_cursor: Option<String>,
}

/// Something with a cursor.
pub(super) trait Edge {
    /// Its cursor.
    fn cursor(&self) -> &str;
}

/// The edges of a page, and where it stands.
pub(super) fn edges<T, E: Edge + From<T>>(page: Page<T>) -> (Vec<E>, PageInfo) {
    let edges: Vec<E> = page.items.into_iter().map(E::from).collect();
    let cursor = |edge: Option<&E>| edge.map(|edge| edge.cursor().to_owned());
    let info = PageInfo {
        end_cursor: cursor(edges.last()),
        has_next_page: page.has_next,
        has_previous_page: page.has_previous,
        start_cursor: cursor(edges.first()),
    };
    (edges, info)
}

/// What a thing in a list costs besides what is selected of it: it is resolved beside the others, in memory of its own, some
/// three kilobytes, however little of it is told.
const THING: usize = 10;

/// What a thing costs besides that is more than a row of a few numbers: a message has its text, up to 40 KB, told or not; a
/// thing by its identifier is looked up by itself.
const LARGE: usize = 15;

/// What a page of large things may cost.
pub(super) fn cost_of_large(sizes: [Option<i32>; 2], of_each: usize) -> usize {
    cost(sizes, of_each.saturating_add(LARGE))
}

/// What a page may cost: its items, each with what is selected of it. A size that makes no sense is refused later.
pub(super) fn cost(sizes: [Option<i32>; 2], of_each: usize) -> usize {
    let size = sizes.into_iter().flatten().max().unwrap_or(20);
    usize::try_from(size.clamp(1, 100))
        .unwrap_or(1)
        .saturating_mul(of_each.saturating_add(THING))
        .saturating_add(1)
}

/// Arguments of a list that is read forwards only.
pub(super) fn forwards(after: Option<String>, first: Option<i32>) -> PageArguments {
    PageArguments {
        after,
        first,
        ..PageArguments::default()
    }
}

/// The two types of a list: its page and its edge. The texts are what clients read.
macro_rules! connection {
    (
        $page_doc:literal $page:ident { $edges_doc:literal $edges:ty }
        $edge_doc:literal $edge:ident { $cursor_doc:literal $node_doc:literal $node:ty }
    ) => {
        #[doc = $page_doc]
        #[derive(async_graphql::SimpleObject)]
        pub(super) struct $page {
            #[doc = $edges_doc]
            edges: $edges,
            /// Position of the page.
            page_info: $crate::graphql::page::PageInfo,
        }

        impl<T> From<$crate::model::Page<T>> for $page
        where
            $edge: From<T>,
        {
            fn from(page: $crate::model::Page<T>) -> Self {
                let (edges, page_info) = $crate::graphql::page::edges(page);
                Self {
                    edges: edges.into(),
                    page_info,
                }
            }
        }

        #[doc = $edge_doc]
        #[derive(async_graphql::SimpleObject)]
        pub(super) struct $edge {
            #[doc = $cursor_doc]
            cursor: String,
            #[doc = $node_doc]
            node: $node,
        }

        impl $crate::graphql::page::Edge for $edge {
            fn cursor(&self) -> &str {
                &self.cursor
            }
        }
    };
}
pub(super) use connection;
