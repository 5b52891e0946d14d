/* In front of every source file of a context (-include). What the host keeps to itself has names,
 * and here they are poison: whoever includes such a header, by whatever path, gets an error at the
 * first of them. Contexts use px.store, px.router, px.log, px.metrics and px.egress. */
#if defined(__GNUC__)
#pragma GCC poison Poco pqxx PGconn PGresult PQconnectdb spdlog prometheus CURL
#endif
