//! What the customer does, and the expected transactions.

/// One visit: the customer opens the page, and the page makes one call.
pub(crate) struct Scene {
    /// The description.
    pub(crate) story: &'static str,
    /// The page's path.
    pub(crate) page: &'static str,
    /// The expected name of the page's transaction, which starts the trace.
    pub(crate) page_name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The status of the response.
    pub(crate) status: u16,
    pub(crate) patience: Patience,
    /// The transactions below that of the page.
    pub(crate) expected: &'static [Expected],
}

/// How much of the response the customer waits for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Patience {
    ReadsAll,
    LeavesAfterFirstChunk,
}

/// A transaction by service, name and status.
pub(crate) type Expected = (&'static str, &'static str, &'static str);

const STOCK: Expected = ("inventory", "GET /warehouses/{place}/stock/{product}", "ok");

pub(crate) const SCRIPT: [Scene; 7] = [
    Scene {
        story: "buys: goods are put aside, a queue takes the order to a job in its own process",
        page: "/cart",
        page_name: "GET /cart",
        method: "POST",
        path: "/checkout/7",
        status: 200,
        patience: Patience::ReadsAll,
        expected: &[
            ("backend", "POST /checkout/{cart}", "ok"),
            ("inventory", "POST /reservations", "ok"),
            ("worker", "order placed", "ok"),
            ("notifications", "send confirmation", "ok"),
        ],
    },
    Scene {
        story: "looks for a product that is not there",
        page: "/products/99",
        page_name: "GET /products/{id}",
        method: "GET",
        path: "/products/99",
        status: 404,
        patience: Patience::ReadsAll,
        expected: &[("backend", "GET /products/{id}", "not_found")],
    },
    Scene {
        story: "buys a gift card without a price: the database refuses the order",
        page: "/gift-cards",
        page_name: "GET /gift-cards",
        method: "POST",
        path: "/checkout/13",
        status: 500,
        patience: Patience::ReadsAll,
        expected: &[
            ("backend", "POST /checkout/{cart}", "internal_error"),
            ("inventory", "POST /reservations", "ok"),
        ],
    },
    Scene {
        story: "asks when it would come: three warehouses are asked at once, one is slow",
        page: "/products/1",
        page_name: "GET /products/{id}",
        method: "GET",
        path: "/products/1/delivery",
        status: 200,
        patience: Patience::ReadsAll,
        expected: &[("backend", "GET /products/{id}/delivery", "ok"), STOCK, STOCK, STOCK],
    },
    Scene {
        story: "downloads a report that is streamed while it is made",
        page: "/orders",
        page_name: "GET /orders",
        method: "GET",
        path: "/reports/orders",
        status: 200,
        patience: Patience::ReadsAll,
        expected: &[("backend", "GET /reports/orders", "ok")],
    },
    Scene {
        story: "downloads it again and leaves after the first chunk",
        page: "/orders",
        page_name: "GET /orders",
        method: "GET",
        path: "/reports/orders",
        status: 200,
        patience: Patience::LeavesAfterFirstChunk,
        expected: &[("backend", "GET /reports/orders", "cancelled")],
    },
    Scene {
        story: "asks how to pay: the payment company is not in tracing_origins and gets no headers",
        page: "/payment",
        page_name: "GET /payment",
        method: "GET",
        path: "/payment-methods",
        status: 200,
        patience: Patience::ReadsAll,
        expected: &[("backend", "GET /payment-methods", "ok")],
    },
];
