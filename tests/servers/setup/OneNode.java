import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node, in a jar of its own; arguments: folder, HTTP port, transport port. */
public class OneNode {
    public static void main(String[] args) throws Exception {
        OpenSearchRunner node = new OpenSearchRunner();
        node.onBuild((number, settings) -> {
            settings.put("discovery.type", "single-node");
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", args[1]);
            settings.put("transport.port", args[2]);
            settings.put("action.auto_create_index", "true");
            settings.put("cluster.routing.allocation.disk.threshold_enabled", "false");
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }));
        node.build(OpenSearchRunner.newConfigs()
            .numOfNode(1).clusterName("tailrace").basePath(args[0]).useLogger());
        Thread.currentThread().join();
    }
}
