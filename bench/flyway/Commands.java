import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;

/** Runs the commands that are its arguments, one after the other, as Flyway's command line does. FLYWAY_* configure it. */
public class Commands {
    public static void main(String[] commands) {
        Flyway flyway = Flyway.configure().envVars().load();
        for (String command : commands) {
            if (command.equals("info")) {
                for (MigrationInfo one : flyway.info().all()) {
                    System.out.println(one.getVersion() + "\t" + one.getDescription() + "\t" + one.getState());
                }
            } else {
                flyway.migrate();
            }
        }
    }
}
